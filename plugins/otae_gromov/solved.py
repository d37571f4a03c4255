"""What Gromov-Wasserstein costs that solve for their coupling share: the choice of a solver, and its solution."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from otae.cloud import Cloud, CloudLike, as_cloud
from otae.errors import CloudError
from otae.interfaces import Cost, Solution
from otae.reductions import Backend

from .alternation import Stationary, best, first_moments
from .coarse import extended, subsample
from .linear import Entropic, Exact, Linear
from .quadratic import Quadratic

Epsilon = Annotated[float, Field(gt=0)] | None
Solver = Literal["entropic", "exact"]
Tolerance = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(gt=0)]

_EPSILON = 0.16  # the default temperature, in units of E|x|² E|y|²: a hundredth of 16 E|x|² E|y|², the size of the cost
_SMALL = 2**16  # pairs up to which the exact solver starts cold; beyond, annealing first saves it linear problems
_LARGE = 2**24  # pairs beyond which a subsample is annealed first
_START = 5.0  # the temperature that annealing starts from, in the same units


@dataclass
class Solving:
    """Creates a way of solving quadratic transport problems.

    Args:
        epsilon: The temperature ε; 0.16 E‖x‖² E‖y‖² of each problem where `None`.
        solver: `entropic` or `exact`.
        tolerance: The share of mass, and of the coupling's moment, to solve to.
        max_iterations: The most linear problems to solve from each start.
        starts: The number of starts.
        backend: Which backend sums over kernels that are too large to be held.
    """

    epsilon: float | None
    solver: Solver
    tolerance: float
    max_iterations: int
    starts: int
    backend: Backend
    exact: bool = field(init=False)

    def __post_init__(self) -> None:
        self.exact = self.solver == "exact"

    def temperature(self, problem: Quadratic) -> float:
        """Returns the temperature ε for a problem.

        Args:
            problem: The problem.
        """
        return _EPSILON * problem.unit if self.epsilon is None else self.epsilon

    def solution(self, problem: Quadratic, epsilon: float | None = None, moments: Iterable[Tensor] = ()) -> Solution:
        """Returns the solution of a problem, its objective with gradients by the envelope theorem.

        Args:
            problem: The problem.
            epsilon: The temperature, where it is not the problem's own.
            moments: Further starts.

        Raises:
            CloudError: If the clouds, or their distances, are not finite.
        """
        if not math.isfinite(float(problem.constant.detach())):
            raise CloudError("The clouds have points that are not finite, or so far apart that squares overflow.")
        heat = self.temperature(problem) if epsilon is None else epsilon
        heat = heat or float(problem.constant.detach())  # where all points coincide, any temperature of that size does
        a, b = problem.source.masses.detach(), problem.target.masses.detach()

        heat, hot = max(heat, torch.finfo(a.dtype).tiny), _START * problem.unit

        def entropic() -> Linear:
            return Entropic(a, b, heat, hot, self.backend)

        starts = [*first_moments(problem.source, problem.target, self.starts), *moments]
        if len(a) * len(b) > _LARGE and not self.exact:
            return _solution(problem, self._refined(problem, heat, hot, starts))
        if not self.exact or len(a) * len(b) > _SMALL:
            found = best(problem, entropic, starts, self.tolerance, self.max_iterations)
        if self.exact:
            starts = starts if len(a) * len(b) <= _SMALL else [found.moment, *moments]
            found = best(problem, lambda: Exact(a, b), starts, self.tolerance, self.max_iterations)
        return _solution(problem, found)

    def _refined(self, problem: Quadratic, heat: float, hot: float, starts: Iterable[Tensor]) -> Stationary:
        """Returns the solution of a large problem: one between subsamples is annealed, extended, and refined."""
        coarse = subsample(problem)
        a, b = (side.masses.detach() for side in (coarse.source, coarse.target))
        limits = self.tolerance, self.max_iterations
        found = best(coarse, lambda: Entropic(a, b, heat, hot, self.backend), starts, *limits)
        a, b = (side.masses.detach() for side in (problem.source, problem.target))
        refined = Entropic(a, b, heat, heat, self.backend, extended(problem, coarse, found, heat))
        return best(problem, lambda: refined, [found.moment], *limits)


def _solution(problem: Quadratic, found: Stationary) -> Solution:
    slopes = problem.envelope(found.plan, found.potentials)
    dtype = problem.left.dtype
    return Solution(
        value=found.value.to(dtype),
        objective=(found.objective + (slopes - slopes.detach())).to(dtype),
        plan=found.plan,
        potentials=found.potentials,
        iterations=found.iterations,
        converged=found.converged,
    )


class Solved(Cost):
    """Creates a cost that solves a quadratic transport problem between two clouds.

    Args:
        epsilon: The temperature ε of the entropic solver; relative to the clouds where `None`.
        solver: `entropic` or `exact`.
        tolerance: The share of mass, and of the coupling's moment, to solve to.
        max_iterations: The most linear transport problems to solve from each start.
        starts: The number of starts.
        backend: `dense`, `keops` or `auto`: what sums over kernels that are too large to be held.
    """

    same_space = False

    def __init__(
        self,
        epsilon: Epsilon,
        solver: Solver,
        tolerance: float,
        max_iterations: int,
        starts: int,
        backend: Backend,
    ) -> None:
        super().__init__()
        self.solving = Solving(epsilon, solver, tolerance, max_iterations, starts, backend)

    @abstractmethod
    def problem(self, source: Cloud, target: Cloud) -> Quadratic:
        """Returns the problem of two clouds.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).
        """

    def __call__(self, source: CloudLike, target: CloudLike | None = None) -> Tensor:
        cloud = as_cloud(source)
        with torch.autocast(cloud.points.device.type, enabled=False):
            return super().__call__(cloud, target)

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the least objective over all couplings, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If the clouds' distances are not finite.
        """
        return self._solution(self.problem(source, target)).objective

    def solve(self, source: CloudLike, target: CloudLike) -> Solution:
        """Returns the best coupling that was found, with its value, potentials and how the solver fared.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If the clouds do not fit the cost, or their distances are not finite.
        """
        first, second = as_cloud(source), as_cloud(target)
        self._check(first, second)
        with torch.autocast(first.points.device.type, enabled=False):
            return self._solution(self.problem(first, second))

    def _solution(self, problem: Quadratic) -> Solution:
        return self.solving.solution(problem)

    def extra_repr(self) -> str:
        way = self.solving
        return f"epsilon={way.epsilon}, solver={way.solver!r}, tolerance={way.tolerance}, starts={way.starts}"
