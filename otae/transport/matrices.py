"""Transport problems whose costs are given as a matrix."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import CloudError
from ..interfaces import Solution
from ..reductions import precise
from .annealing import finish
from .balancing import balance
from .coupling import Coupling
from .envelope import Needs, solve_with_gradients
from .given_costs import Matrix
from .limits import Limits
from .measure import Measure
from .potentials import Potentials, Until
from .problem import Problem
from .simplex import PIVOTS, solve_simplex

PRECISE = Until(1e-3, 1000)
_WARM = Until(0.1, 5, newton=False)


def solve_matrix(
    costs: Tensor,
    a: Tensor | None = None,
    b: Tensor | None = None,
    epsilon: float = 0.0,
    until: Until = PRECISE,
    limits: Limits | None = None,
    pivots: int = PIVOTS,
) -> Solution:
    """Returns the transport of least cost, its objective differentiable in the costs and the masses.

    Args:
        costs: The costs of all pairs, with shape (N, M); of any sign.
        a: The weights of the source points, with shape (N,); uniform where `None`.
        b: The weights of the target points, with shape (M,); uniform where `None`.
        epsilon: The temperature of entropic transport; 0 for the network simplex.
        until: When entropic iterations stop.
        limits: The sizes at which solvers change their ways.
        pivots: The number of pivots after which the simplex gives up.

    Raises:
        CloudError: If shapes do not fit, or costs are not finite.

    Examples:
        >>> solve_matrix(torch.tensor([[0.0, 2.0], [2.0, 1.0]])).value.item()
        0.5
    """
    if costs.ndim != 2 or not all(
        each is None or each.shape == (size,) for each, size in zip((a, b), costs.shape, strict=True)
    ):
        shapes = [None if each is None else tuple(each.shape) for each in (costs, a, b)]
        raise CloudError(f"Costs have shape (N, M), and weights (N,) and (M,): got {shapes}.")
    if not bool(costs.isfinite().all()):
        raise CloudError("The costs are not all finite: look for where they come from.")
    matrix = precise(costs)
    given = [
        matrix.new_ones(size) if each is None else each.to(matrix)
        for each, size in zip((a, b), costs.shape, strict=True)
    ]
    found: list[Solution] = []

    def solve(inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, Sequence[Tensor | None]]:
        with torch.no_grad(), torch.autocast(costs.device.type, enabled=False):
            found.append(
                _solve_entropic(inputs[0], inputs[1], inputs[2], epsilon, until, limits or Limits())
                if epsilon
                else _solve_exactly(inputs[0], inputs[1], inputs[2], pivots)
            )
        f, g = found[0].potentials
        slopes = (found[0].plan.dense() if needs[0] else None, f, g)
        return found[0].objective, [each if need else None for each, need in zip(slopes, needs, strict=True)]

    objective = solve_with_gradients(solve, (matrix, *(each / each.sum() for each in given)))
    return Solution(**{**vars(found[0]), "objective": objective})


def _solve_exactly(costs: Tensor, a: Tensor, b: Tensor, pivots: int) -> Solution:
    flow = solve_simplex(costs, a, b, pivots)
    value = torch.dot(flow.masses, costs[flow.rows, flow.columns])
    return Solution(value, value, flow.plan(), flow.potentials, 0, flow.converged, gap=flow.gap)


def _solve_entropic(costs: Tensor, a: Tensor, b: Tensor, epsilon: float, until: Until, limits: Limits) -> Solution:
    source, target = Measure(costs, a, weighted=True), Measure(costs.T, b, weighted=True)
    inner = source.gather(target.gather(costs.T).T)
    problem = Problem(Matrix(inner, limits), source.positive.masses, target.positive.masses)
    temperature, start = max(problem.costs.span / 8, epsilon), Potentials(*problem.zeros())
    while temperature > epsilon:
        start = balance(problem, start, temperature, 0.0, _WARM)
        lower = max(temperature / 4, epsilon)
        start, temperature = start.times(temperature / lower), lower
    coupling = Coupling(problem, balance(problem, start, epsilon, 0.0, until), epsilon)
    if coupling.potentials.violation > until.tolerance and limits.finishes(inner.numel()):
        coupling = Coupling(problem, finish(problem, coupling.potentials, epsilon, until), epsilon)
    certificate, plan = coupling.certificate, coupling.plan(source, target)
    value, _, _ = coupling.carry()
    f, g = (epsilon * _complete(costs, coupling, axis, (source, target), epsilon) for axis in (0, 1))
    converged = coupling.potentials.violation <= until.tolerance
    iterations = coupling.potentials.iterations
    return Solution(
        value, coupling.dual(), plan, (f, g), iterations, converged, epsilon, epsilon, certificate.marginal_error,
        certificate.gap,
    )  # fmt: skip


def _complete(costs: Tensor, coupling: Coupling, axis: int, sides: tuple[Measure, Measure], epsilon: float) -> Tensor:
    """Returns the potential of all points of a side in units of the temperature."""
    side, potential = sides[axis], coupling.potential(axis)
    if side.lost is None:
        return potential
    table = costs if axis == 0 else costs.T
    log_masses = (coupling.problem.log_b, coupling.problem.log_a)[axis]
    heights = coupling.potential(1 - axis) + log_masses
    return side.scatter(
        potential, -torch.logsumexp(heights - sides[1 - axis].gather(table[side.lost].T).T / epsilon, 1)
    )
