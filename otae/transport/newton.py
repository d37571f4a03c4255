"""Newton's method on the semi-dual of an entropic transport problem, for where Sinkhorn's algorithm slows down."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .potentials import Until
from .scalings import Scalings

_TRUST = 20.0  # largest change of a potential in one step, in units of the temperature
_DIRECTIONS = 20  # conjugate directions of a step at most
_FORCING = 0.3  # the residual that a step's linear system is solved to
_ARMIJO = 1e-4  # the share of the predicted rise of the dual that a step must bring
_SHORTER = 0.4  # the ratio of one trial length of a step to the one before
_TRIALS = 6


def ascend(state: Scalings, until: Until) -> tuple[Scalings, float, int, bool]:
    r"""Returns the state after Newton steps, its violation, how many products it took, and whether the last step rose.

    The linear system of a step, of the Laplacian $\mathrm{diag}(P 1) - P\, \mathrm{diag}(1/b)\, P^\top$ of the plan, is solved
    directly where the kernel is held and small, else loosely by conjugate gradients; the step is shortened until the dual
    rises.

    Args:
        state: The state, whose columns are exact.
        until: When to stop.

    References:
        The Sinkhorn-Newton Method for Entropic Optimal Transport (Brauer, Clason, Lorenz, Wirth, 2017)
        https://arxiv.org/abs/1710.06635
    """
    products, rose = 0, True
    residual, sums = _residual(state)
    violation = float(residual.abs().sum())
    while rose and violation > until.tolerance and products < until.most:
        direction, spent = _direction(state, residual, sums)
        rose, trials = _step(state, direction, float(residual @ direction))
        products += spent + trials
        if rose and state.reach() > _TRUST:
            state = state.absorb()
            state.v -= state.off_columns()
        residual, sums = _residual(state)
        violation = float(residual.abs().sum())
    return state, violation, products, rose


def _residual(state: Scalings) -> tuple[Tensor, Tensor]:
    """Returns by how much the rows fall short, and what they sum to, both with shape (N,)."""
    sums = state.row_scaling() * state.kernel.rows(state.column_scaling())
    return state.problem.a - sums, sums


def _step(state: Scalings, direction: Tensor, slope: float) -> tuple[bool, int]:
    """Takes a step, shortened until the dual rises, or leaves the state; tells which, and after how many trials."""
    a, b = state.problem.a.double(), state.problem.b.double()

    def dual() -> float:
        return float(a @ state.u.double() + b @ state.v.double())

    u, v, before = state.u, state.v, dual()
    noise = torch.finfo(u.dtype).eps * (1 + abs(before))
    length = min(1.0, _TRUST / max(float(direction.abs().amax()), 1e-30))
    for trial in range(_TRIALS):
        state.u = u + length * direction
        state.v = v
        state.v = v - state.off_columns()
        reached = dual()
        if math.isfinite(reached) and reached >= before + _ARMIJO * length * slope - noise:
            return True, trial + 1
        length *= _SHORTER
    state.u, state.v = u, v
    return False, _TRIALS


def _direction(state: Scalings, residual: Tensor, sums: Tensor) -> tuple[Tensor, int]:
    costs = state.problem.costs
    if costs.held and max(costs.shape) <= costs.limits.direct:
        solved = _solve_directly(state, residual, sums)
        if solved is not None:
            return solved, 1
    return _solve_loosely(state, residual, sums)


def _solve_directly(state: Scalings, residual: Tensor, sums: Tensor) -> Tensor | None:
    u, v = state.row_scaling().double(), state.column_scaling().double()
    plan = u[:, None] * state.kernel.dense().double() * v
    laplacian = torch.mm(plan / plan.sum(0), plan.T).neg_()
    laplacian.diagonal().add_(sums.double() * (1 + 1e-13))
    laplacian += state.problem.a.double()[:, None] * state.problem.a.double()  # the shift that changes nothing
    factor, failed = torch.linalg.cholesky_ex(laplacian)
    if failed:
        return None
    direction = torch.cholesky_solve(residual.double()[:, None], factor)[:, 0]
    return direction.to(residual.dtype) if bool(direction.isfinite().all()) else None


def _solve_loosely(state: Scalings, residual: Tensor, sums: Tensor) -> tuple[Tensor, int]:
    kernel, u, v, b = state.kernel, state.row_scaling(), state.column_scaling(), state.problem.b
    direction = torch.zeros_like(u)
    scaled = residual / sums
    search, size, products = scaled, float(residual @ scaled), 0
    goal = _FORCING**2 * size
    while size > goal and products < _DIRECTIONS:
        across = v * kernel.columns(u * search)  # the transposed plan applied, with shape (M,)
        image = sums * search - u * kernel.rows(v * (across / b))
        products += 1
        curvature = float(search @ image)
        if curvature <= 0:
            break
        direction = direction + (size / curvature) * search
        residual = residual - (size / curvature) * image
        scaled = residual / sums
        size, before = float(residual @ scaled), size
        search = scaled + (size / before) * search
    return direction - (state.problem.a * direction).sum(), products
