"""The Gromov-Wasserstein cost of two matrices of distances, for those who have them instead of points."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Plan
from otae.reductions import in_transform
from otae.transport import Measure, Optimum, Transport, solve_simplex
from otae.transport.envelope import Needs

from .descent import Descended, Distortion
from .matching import held_plans, match_profiles
from .options import Count, Starts, Tolerance

_NOTHING = 1e-12  # the share of the largest cost below which nothing is left to gain
_ASYMMETRY = 1e-5  # of the largest distance


class MatrixGW(Transport):
    r"""Creates the Gromov-Wasserstein cost of clouds whose points are the rows of matrices of distances, of any kind.

    $$\min_{P \in \Pi(a, b)} \sum_{ijkl} \left( C_{ik} - D_{jl} \right)^2 P_{ij} P_{kl}$$

    Conditional gradients solve it in double precision, with O(N²) memory and O(N³) time, from all starts at once. Gradients,
    to the matrices and the weights, are those of the envelope theorem.

    The problem has local optima, one of which each start leads to; the least is taken. The gap of a solution is how far it is
    above the third lower bound of Mémoli: 0 proves it best, and ends the search. Points of weight 0 take no part. The cost
    does not depend on the unit of the distances.

    Args:
        tolerance: The relative change of the objective to stop at.
        max_iterations: The most linear transport problems to solve from each start.
        starts: The number of starts: the independent coupling, then matched profiles of distances, then these with one point
            of each side held together.

    References:
        Gromov-Wasserstein Distances and the Metric Approach to Object Matching (Mémoli, 2011), for the bound
        https://doi.org/10.1007/s10208-011-9093-5

        Gromov-Wasserstein Averaging of Kernel and Distance Matrices (Peyré, Cuturi, Solomon, 2016)
        https://proceedings.mlr.press/v48/peyre16.html

    Examples:
        >>> path = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 1.0, 0.0]])
        >>> abs(MatrixGW()(path, path[[1, 0, 2]][:, [1, 0, 2]]).item()) < 1e-6
        True
    """

    same_space = False

    def __init__(self, tolerance: Tolerance = 1e-9, max_iterations: Count = 1000, starts: Starts = 8) -> None:
        super().__init__()
        self.tolerance, self.max_iterations, self.starts = tolerance, max_iterations, starts

    def _check(self, source: Cloud, target: Cloud) -> None:
        super()._check(source, target)
        for cloud in (source, target):
            _check_distances(cloud)

    def _drop_weightless(self, source: Cloud, target: Cloud) -> tuple[Cloud, Cloud]:
        return source, target  # a point is a row and a column: `find` leaves both out

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the least cost over all couplings that were found, a scalar.

        Args:
            source: A cloud whose point i is the row of the distances from i, with shape (N, N).
            target: The same of the target, with shape (M, M).

        Raises:
            CloudError: If the matrices are not square and symmetric, or not finite.
        """
        return super().forward(source, target)

    def find(self, source: Measure, target: Measure, needs: Needs, start: Plan | None) -> Optimum:
        """Returns the best coupling that was found, with its value and potentials.

        Args:
            source: A measure whose point i is the row of the distances from i, with shape (N, N).
            target: The same of the target, with shape (M, M).
            needs: Whether gradients to the matrices and the masses are asked for.
            start: The plan of an earlier solution to start from alone, or `None`.
        """
        dtype, (a, b) = source.points.dtype, (source.masses.double(), target.masses.double())
        c, d = source.points.double(), target.points.double()
        unit = max(float(c.abs().max()), float(d.abs().max())) or 1.0  # POT's tolerances are absolute
        inner = [side.gather(side.gather(matrix).T).T / unit for side, matrix in ((source, c), (target, d))]
        masses = [side.gather(each) / side.gather(each).sum() for side, each in ((source, a), (target, b))]
        first = None if start is None else source.gather(target.gather(start.dense().double().T).T)
        found, floor = self._search(Distortion(inner[0], inner[1], masses[0], masses[1]), first)
        plan = found.plan
        plan = source.scatter(target.scatter(plan.T).T)
        linear = -2 * c @ plan @ d  # half the slope of the cost in the plan
        flow = solve_simplex(2 * linear, a, b)
        cross = c @ plan @ d
        value = a @ c.square() @ a + b @ d.square() @ b - 2 * (cross * plan).sum()
        f, g = flow.potentials
        gradients = [
            2 * (a[:, None] * a * c - plan @ d @ plan.T) if needs[0] else None,
            2 * (b[:, None] * b * d - plan.T @ c @ plan) if needs[1] else None,
            2 * c.square() @ a + f if needs[2] else None,
            2 * d.square() @ b + g if needs[3] else None,
        ]
        coupling = Plan.of(plan.to(dtype))
        errors = [
            (marginal - masses).abs().sum() for marginal, masses in zip((plan.sum(1), plan.sum(0)), (a, b), strict=True)
        ]
        return Optimum(
            objective=value.to(dtype),
            gradients=[None if each is None else each.to(dtype) for each in gradients],
            plan=coupling,
            details=lambda: (value.to(dtype), (f.to(dtype), g.to(dtype))),
            iterations=found.iterations,
            converged=found.stationary and float((linear * 2 * plan).sum() - a @ f - b @ g) <= self._slack(value, c, a),
            marginal_error=float(torch.stack(errors).max()),
            gap=max(float(value) - floor * unit**2, 0.0),
            state=coupling,
        )

    def _slack(self, value: Tensor, c: Tensor, a: Tensor) -> float:
        """Returns what the linear problem at the optimum may still gain."""
        return 1e-6 * float(value.abs() + a @ c.square() @ a)

    def _search(self, problem: Distortion, start: Tensor | None) -> tuple[Descended, float]:
        """Returns the best plan from several starts, and what no plan can cost less than.

        The search ends early where a plan costs no more than that.
        """
        limits = self.tolerance, self.max_iterations
        if start is not None or self.starts == 1:
            first = problem.a[:, None] * problem.b if start is None else start
            return problem.descend(first[None], *limits), problem.floor
        sides = problem.c, problem.d, problem.a, problem.b
        profiles = match_profiles(*sides)
        floor = max(problem.floor, profiles.floor)
        plans = torch.stack([problem.a[:, None] * problem.b, profiles.plan])
        best = problem.descend(plans, *limits)
        if self.starts > 2 and best.cost > floor + _NOTHING * problem.size:
            other = problem.descend(held_plans(*sides, profiles, self.starts - 2), *limits)
            best = min(best, other, key=lambda each: each.cost)
        return best, floor

    def extra_repr(self) -> str:
        return f"tolerance={self.tolerance}, starts={self.starts}"


def _check_distances(cloud: Cloud) -> None:
    """Checks that the points of a cloud are the rows of a matrix of distances."""
    matrix = cloud.flat.detach()
    if matrix.shape[0] != matrix.shape[1]:
        raise CloudError(
            f"Distances form a square matrix, one row a point, but these have shape {tuple(matrix.shape)}."
        )
    if in_transform():  # values cannot be looked at
        return
    scale = float(matrix.abs().max())
    if not math.isfinite(scale) or float((matrix - matrix.T).abs().max()) > _ASYMMETRY * scale:
        raise CloudError("A matrix of distances must be finite and symmetric. Take (C + C.T) / 2 of one that is not.")
