"""Entropic transport problems of one size, balanced together: each stops where it has converged."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from otae.transport import Until

_LOWEST, _HIGHEST = -50.0, 60.0  # exponents are cut off on both sides, as of single problems
_REACH = 20.0  # change of a potential, in units of the temperature, beyond which kernels are computed again
_PLAIN = 2  # iterations before the first relaxed one
_MOST = 0.995  # rate of plain iterations beyond which they are relaxed no further
_SMALL = 2**18  # entries up to which elementwise products are faster than those of matrices


@dataclass(frozen=True, eq=False)
class BatchProblem:
    """Holds the costs and masses of entropic transport problems of one size.

    Args:
        costs: The costs, with shape (B, N, M).
        a: The masses of the sources, with shape (B, N); some may be 0.
        b: The masses of the targets, with shape (B, M).
    """

    costs: Tensor
    a: Tensor
    b: Tensor

    @property
    def T(self) -> BatchProblem:
        """Returns the problems with the sides exchanged."""
        return BatchProblem(self.costs.mT, self.b, self.a)

    def select(self, places: Tensor) -> BatchProblem:
        """Returns some of the problems.

        Args:
            places: Their places, with shape (K,).
        """
        return BatchProblem(self.costs[places], self.a[places], self.b[places])

    def kernel(self, phi: Tensor, gamma: Tensor, temperature: float) -> Tensor:
        """Returns the densities of the plans by the products of the masses, with shape (B, N, M).

        Args:
            phi: The potentials of the sources in units of the temperature, with shape (B, N).
            gamma: Those of the targets, with shape (B, M).
            temperature: The temperature ε.
        """
        exponents = torch.add(phi[:, :, None], gamma[:, None]).sub_(self.costs, alpha=1 / temperature)
        return exponents.clamp_(_LOWEST, _HIGHEST).exp_()

    def extrapolate(self, gamma: Tensor, temperature: float) -> Tensor:
        """Returns the potentials of the sources that fit those of the targets, with shape (B, N).

        Args:
            gamma: The potentials of the targets, with shape (B, M).
            temperature: The temperature ε.
        """
        heights = (gamma + self.b.log())[:, None] - self.costs / temperature
        return -torch.logsumexp(heights, 2)


@dataclass(frozen=True, eq=False)
class BatchPotentials:
    """Holds the potentials of such problems, in units of the temperature.

    Args:
        phi: The potentials of the sources, with shape (B, N).
        gamma: The potentials of the targets, with shape (B, M).
        violation: By how much the marginals were off before the last step, with shape (B,).
    """

    phi: Tensor
    gamma: Tensor
    violation: Tensor

    def times(self, factor: float) -> BatchPotentials:
        """Returns the same potentials in units of another temperature.

        Args:
            factor: The old temperature over the new one.
        """
        return BatchPotentials(self.phi * factor, self.gamma * factor, self.violation)


def multiply(kernel: Tensor, values: Tensor) -> Tensor:
    """Returns the product of each matrix with a vector, with shape (B, N).

    Args:
        kernel: The matrices, with shape (B, N, M).
        values: The vectors, with shape (B, M).
    """
    if kernel.numel() <= _SMALL and kernel.is_contiguous():
        return (kernel * values[:, None]).sum(2)
    return torch.bmm(kernel, values[:, :, None])[:, :, 0]


class _State:
    """Holds kernels, and the changes of potentials since they were computed."""

    def __init__(self, problem: BatchProblem, phi: Tensor, gamma: Tensor, temperature: float, softness: float) -> None:
        self.problem, self.phi, self.gamma = problem, phi, gamma
        self.temperature, self.softness = temperature, softness
        self.kernel = problem.kernel(phi, gamma, temperature)
        self.u, self.v = torch.zeros_like(phi), torch.zeros_like(gamma)

    def off_rows(self) -> Tensor:
        return self._off(multiply(self.kernel, self.problem.b * self.v.exp()), self.phi, self.u)

    def off_columns(self) -> Tensor:
        values = self.problem.a * self.u.exp()
        if self.kernel.numel() <= _SMALL:
            sums = (self.kernel * values[:, :, None]).sum(1)
        else:
            sums = torch.bmm(values[:, None], self.kernel)[:, 0]
        return self._off(sums, self.gamma, self.v)

    def _off(self, sums: Tensor, potential: Tensor, change: Tensor) -> Tensor:
        off = sums.clamp_min_(torch.finfo(sums.dtype).tiny).log_().add_(change, alpha=1 + self.softness)
        return off.add_(potential, alpha=self.softness) if self.softness else off

    def shift(self) -> None:
        """Shifts the potentials against each other such that both marginals of each plan have one mass."""
        kept = [
            (mass * (-self.softness * (potential + change)).exp()).sum(1, keepdim=True)
            for mass, potential, change in (
                (self.problem.a, self.phi, self.u),
                (self.problem.b, self.gamma, self.v),
            )
        ]
        change = (kept[0] / kept[1]).log() / (2 * self.softness)
        self.u, self.v = self.u + change, self.v - change

    def absorb_far(self, *changes: Tensor) -> _State:
        """Returns the same state, its kernels computed again where a potential has come far."""
        if max(float(change.abs().amax()) for change in changes) <= _REACH:
            return self
        potentials = self.phi + self.u, self.gamma + self.v
        return _State(self.problem, *potentials, self.temperature, self.softness)

    def select(self, places: Tensor) -> _State:
        """Returns the state of some of the problems."""
        chosen = object.__new__(_State)
        chosen.problem = self.problem.select(places)
        chosen.temperature, chosen.softness = self.temperature, self.softness
        for name in ("phi", "gamma", "kernel", "u", "v"):
            setattr(chosen, name, getattr(self, name)[places])
        return chosen


def balance_alone(problem: BatchProblem, temperature: float, softness: float, until: Until) -> BatchPotentials:
    """Returns the potentials of problems of clouds with themselves, and those of one step ahead, with exact columns.

    Args:
        problem: The problems.
        temperature: The temperature ε.
        softness: The temperature over the price of mass, 0 where the marginals are held.
        until: When to stop.
    """
    zeros = torch.zeros_like(problem.a)
    state = _State(problem, zeros, zeros, temperature, softness)
    for iteration in range(1, until.most + 1):
        off = state.off_rows()
        violation = (problem.a * off.abs()).sum(1)
        active = violation > until.tolerance
        if iteration == until.most or not bool(active.any()):
            break
        state.u = state.v = state.u - off * (0.5 / (1 + softness) * active)[:, None]
        state = state.absorb_far(state.u)
    phi = state.phi + state.u
    return BatchPotentials(phi, phi - off / (1 + softness), violation)


def balance(
    problem: BatchProblem, start: BatchPotentials, temperature: float, softness: float, until: Until
) -> BatchPotentials:
    """Returns the potentials of problems between clouds, for which the columns of the plans are exact.

    Sinkhorn's algorithm, each problem overrelaxed by its own rate of convergence; those that have converged rest.

    Args:
        problem: The problems.
        start: The potentials to start from.
        temperature: The temperature ε.
        softness: The temperature over the price of mass, 0 where the marginals are held.
        until: When to stop.

    References:
        A Note on Overrelaxation in the Sinkhorn Algorithm (Lehmann, von Renesse, Sambale, Uschmajew, 2021)
        https://arxiv.org/abs/2012.12562
    """
    found = BatchPotentials(start.phi.clone(), start.gamma.clone(), torch.full_like(start.phi[:, 0], math.inf))
    state = _State(problem, start.phi, start.gamma, temperature, softness)
    places = torch.arange(len(start.phi), device=start.phi.device)
    relaxation, before = torch.ones_like(found.violation), torch.full_like(found.violation, math.inf)
    for iteration in range(1, until.most + 1):
        if softness:
            state.shift()
        off_rows = state.off_rows()
        state.u = state.u - (relaxation / (1 + softness))[:, None] * off_rows
        off_columns = state.off_columns()
        off = torch.maximum((state.problem.a * off_rows.abs()).sum(1), (state.problem.b * off_columns.abs()).sum(1))
        done = ~(off > until.tolerance) | (iteration == until.most)
        state.v = state.v - (torch.where(done, 1.0, relaxation) / (1 + softness))[:, None] * off_columns
        if bool(done.any()):
            ended = places[done]
            found.phi[ended], found.gamma[ended] = (state.phi + state.u)[done], (state.gamma + state.v)[done]
            found.violation[ended] = off[done]
            left = (~done).nonzero()[:, 0]
            if len(left) == 0:
                break
            state, places, off = state.select(left), places[left], off[left]
            relaxation, before = relaxation[left], before[left]
        if iteration > _PLAIN:
            relaxation = _relax(relaxation, off / before)
        before = off
        state = state.absorb_far(state.u, state.v)
    return found


def _relax(relaxation: Tensor, rate: Tensor) -> Tensor:
    """Returns the relaxations that suit the rates of convergence which the last ones have shown (Young, 1954)."""
    plain = ((rate + relaxation - 1).square() / (rate * relaxation.square())).clamp_max(_MOST)
    better = 2 / (1 + (1 - plain).clamp_min(0).sqrt())
    kept = torch.where(rate <= relaxation - 1, relaxation, better)
    return torch.where(rate >= 1, (relaxation - 0.1).clamp_min(1.0), kept)
