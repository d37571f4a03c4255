"""Balancing a scaled kernel: the diagonal scalings that give a plan its two marginals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from otae.interfaces import Plan

from .scaling import ScaledKernel

_SLOW = 0.85  # the factor by which a sweep of alternate scaling lowers the violation at least, while it is preferred
_REST = 20  # sweeps of alternate scaling after a Newton step that fails
_CAP = 1e4  # scalings beyond which they are absorbed into the potentials, so that nothing overflows
_TRUST = 20.0  # largest change of a potential in one Newton step, in units of the temperature
_DIRECTIONS = 20  # conjugate directions of a Newton step at most
_FORCING = 0.3  # the residual that a Newton step's linear system is solved to
_ARMIJO = 1e-4  # the share of the predicted rise of the dual that a Newton step must bring


@dataclass(frozen=True, eq=False)
class Balanced:
    """Creates a balanced kernel.

    Args:
        plan: The plan, whose columns sum to b up to rounding, and whose rows sum to a up to the violation.
        f: The potential of the source, with shape (N,), in units of the temperature.
        g: The potential of the target, with shape (M,).
        violation: The total mass by which the rows' sums differ from a.
        sweeps: The number of products with the kernel and its transpose.
    """

    plan: Plan
    f: Tensor
    g: Tensor
    violation: float
    sweeps: int


def balance(kernel: ScaledKernel, g: Tensor, tolerance: float, sweeps: int) -> Balanced:
    r"""Returns the plan $\mathrm{diag}(u) K \mathrm{diag}(v)$ with the masses as its marginals.

    Rows and columns are scaled in turn (Sinkhorn's algorithm) while this is fast. Where it slows down, as around points far
    from the others at low temperatures, the semi-dual is maximised by Newton's method instead: its linear system, of the
    Laplacian of the plan, is solved loosely by conjugate gradients, and its step is shortened until the dual rises.

    Args:
        kernel: The kernel.
        g: Where the potential of the target starts, with shape (M,), in units of the temperature.
        tolerance: The violation of the marginals to stop at, as a share of the mass.
        sweeps: How many products with the kernel and its transpose may be spent.

    References:
        Sinkhorn Distances (Cuturi, 2013)
        https://arxiv.org/abs/1306.0895

        The Sinkhorn-Newton Method for Entropic Optimal Transport (Brauer, Clason, Lorenz, Wirth, 2017)
        https://arxiv.org/abs/1710.06635
    """
    state = _State(kernel, g)
    plain = 1
    while state.violation > tolerance and state.sweeps < sweeps:
        if plain > 0:
            before = state.violation
            state.take(state.u * (kernel.a / state.sums))
            plain = max(plain - 1, int(state.violation < _SLOW * before))
        else:
            plain = 0 if _newton(state) else _REST
        if state.reach() > _CAP:
            state = _State(kernel, state.g + state.v.log(), state.sweeps)
    f, g = state.f + state.u.log(), state.g + state.v.log()
    return Balanced(kernel.plan(state.u, state.v), f, g, state.violation, state.sweeps)


class _State:
    """Creates the scalings of a kernel: u anything, v such that the columns fit."""

    def __init__(self, kernel: ScaledKernel, g: Tensor, sweeps: int = 0) -> None:
        self.kernel, self.g, self.sweeps = kernel, g, sweeps
        self.f = kernel.absorb(g)
        self.take(torch.ones_like(kernel.a))

    def take(self, u: Tensor) -> None:
        """Takes a scaling of the rows, and the scaling of the columns that fits it."""
        self.u = u
        self.v = self.kernel.b / self.kernel.columns(u)
        self.sums = u * self.kernel.rows(self.v)
        self.violation = float((self.sums - self.kernel.a).abs().sum())
        self.sweeps += 1

    def dual(self) -> float:
        """Returns the dual objective of the scalings, up to a constant of the kernel."""
        return float(self.kernel.a @ self.u.log() + self.kernel.b @ self.v.log())

    def reach(self) -> float:
        """Returns the largest scaling or its inverse."""
        both = torch.cat([self.u, self.v]).log().abs()
        return float(both[both.isfinite()].amax().exp())


def _newton(state: _State) -> bool:
    """Takes a Newton step, shortened until the dual rises, or leaves the state and returns False."""
    direction, kernel = _direction(state), state.kernel
    slope = float((kernel.a - state.sums) @ direction)
    u, v, sums, violation, dual = state.u, state.v, state.sums, state.violation, state.dual()
    noise = torch.finfo(u.dtype).eps * (1 + abs(dual))
    step = min(1.0, _TRUST / max(float(direction.abs().amax()), 1e-30))
    for _ in range(6):
        state.take(u * (step * direction).exp())
        if math.isfinite(state.violation) and state.dual() >= dual + _ARMIJO * step * slope - noise:
            return True
        step *= 0.4
    state.u, state.v, state.sums, state.violation = u, v, sums, violation
    return False


def _direction(state: _State) -> Tensor:
    """Returns the solution d of (diag(P1) - P diag(1/b) Pᵀ) d = a - P1 by conjugate gradients, with shape (N,)."""
    kernel, u, v, sums = state.kernel, state.u, state.v, state.sums
    residual = kernel.a - sums
    direction = torch.zeros_like(u)
    scaled = residual / sums
    search, size = scaled, float(residual @ scaled)
    goal = _FORCING**2 * size
    for _ in range(_DIRECTIONS):
        if size <= goal:
            break
        across = v * kernel.columns(u * search)  # Pᵀ applied, with shape (M,)
        image = sums * search - u * kernel.rows(v * (across / kernel.b))
        state.sweeps += 1
        curvature = float(search @ image)
        if curvature <= 0:
            break
        direction = direction + (size / curvature) * search
        residual = residual - (size / curvature) * image
        scaled = residual / sums
        size, before = float(residual @ scaled), size
        search = scaled + (size / before) * search
    return direction - (kernel.a * direction).sum()
