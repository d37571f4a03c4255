"""What Gromov-Wasserstein costs that solve for their coupling share: the choice of a solver, and its solution."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Plan, Solution
from otae.reductions import Backend
from otae.transport import Limits, Measure, Optimum, Transport
from otae.transport.envelope import Needs

from .alternation import Stationary, best, first_moments
from .coarse import extend, subsample
from .linear import Entropic, Exact, Linear
from .options import Epsilon, Solver, Start
from .quadratic import Quadratic

_EPSILON = 0.16  # the default temperature, in units of E|x|² E|y|²: a hundredth of 16 E|x|² E|y|², the size of the cost
_SMALL = 2**16  # pairs up to which the exact solver starts cold; beyond, annealing first saves it linear problems
_LARGE = 2**24  # pairs beyond which a subsample is annealed first
_ROUNDING = 1e6  # how far above the smallest normal number fourth powers must stay
_FINEST = 16.0  # the finest tolerance that can be met, in units of the precision
_START = 5.0  # the temperature that annealing starts from, in the same units


@dataclass
class Solving:
    """Holds the choices by which to solve quadratic transport problems.

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

    def temperature(self, problem: Quadratic) -> Tensor:
        """Returns the temperature ε for a problem, a scalar that is differentiable where it depends on the clouds.

        Args:
            problem: The problem.
        """
        if self.epsilon is None:
            return _EPSILON * problem.unit
        return problem.unit.new_full((), self.epsilon)

    def solution(
        self,
        problem: Quadratic,
        limits: Limits,
        temperature: Tensor | None = None,
        moments: Iterable[Tensor] = (),
        start: Start | None = None,
    ) -> Solution:
        """Returns the solution of a problem, its objective with gradients by the envelope theorem.

        Args:
            problem: The problem.
            limits: The sizes up to which kernels are held.
            temperature: The temperature, a scalar, where it is not the problem's own.
            moments: Further starts.
            start: The earlier solution to start from alone.

        Raises:
            CloudError: If the clouds, or their distances, are not finite.
        """
        constant = float(problem.constant.detach())
        if not math.isfinite(constant):
            raise CloudError("The clouds have points that are not finite, or so far apart that squares overflow.")
        temperature = self.temperature(problem) if temperature is None else temperature
        a, b = problem.source.masses.detach(), problem.target.masses.detach()
        unit = float(problem.unit.detach())
        if unit and unit < _ROUNDING * torch.finfo(a.dtype).tiny:
            raise CloudError(
                "The clouds are so narrow that fourth powers of their distances underflow. Scale their points up, or use "
                "double precision."
            )
        heat, hot = float(temperature.detach()) or constant, _START * unit  # any will do where all points coincide
        heat = max(heat, torch.finfo(a.dtype).tiny)
        if start is not None:
            with torch.no_grad():
                moments, hot = [problem.moment(start.plan)], heat
        g = None if start is None else start.g

        def entropic() -> Linear:
            return Entropic(a, b, heat, hot, self.backend, limits, g)

        starts = list(moments) if start else [*first_moments(problem.source, problem.target, self.starts), *moments]
        if len(a) * len(b) > _LARGE and not self.exact and start is None:
            found = self._refine(problem, limits, heat, hot, starts)
            return _solution(problem, found, temperature, self.exact)
        if not self.exact or (len(a) * len(b) > _SMALL and start is None):
            found = best(problem, entropic, starts, self.tolerance, self.max_iterations)
        if self.exact:
            starts = starts if len(a) * len(b) <= _SMALL or start else [found.moment, *moments]
            found = best(problem, lambda: Exact(a, b), starts, self.tolerance, self.max_iterations)
        return _solution(problem, found, temperature, self.exact)

    def _refine(
        self, problem: Quadratic, sizes: Limits, heat: float, hot: float, starts: Iterable[Tensor]
    ) -> Stationary:
        """Returns the solution of a large problem: one between subsamples is annealed, extended, and refined."""
        coarse = subsample(problem)
        a, b = (side.masses.detach() for side in (coarse.source, coarse.target))
        limits = self.tolerance, self.max_iterations
        found = best(coarse, lambda: Entropic(a, b, heat, hot, self.backend, sizes), starts, *limits)
        a, b = (side.masses.detach() for side in (problem.source, problem.target))
        refined = Entropic(a, b, heat, heat, self.backend, sizes, extend(problem, coarse, found, heat))
        return best(problem, lambda: refined, [found.moment], *limits)


def _solution(problem: Quadratic, found: Stationary, temperature: Tensor, exact: bool) -> Solution:
    slopes = problem.envelope(found.plan, found.potentials)
    used = float(temperature.detach())
    least = _ROUNDING * torch.finfo(temperature.dtype).tiny  # of points that coincide, there is nothing to move
    if (
        not exact and temperature.requires_grad and used > least
    ):  # it moves with the clouds: its slope is the divergence
        slopes = slopes + (found.objective - found.value) / used * temperature
    dtype = problem.left.dtype
    return Solution(
        value=found.value.to(dtype),
        objective=(found.objective + (slopes - slopes.detach())).to(dtype),
        plan=found.plan,
        potentials=found.potentials,
        iterations=found.iterations,
        converged=found.converged,
        asked=0.0 if exact else used,
        temperature=0.0 if exact else used,
        marginal_error=found.violation,
        gap=max(float(found.objective - problem.floor()), 0.0),
        state=Start(found.plan, found.potentials[1]),
    )


class Solved(Transport):
    """Abstract base of costs that solve a quadratic transport problem between two clouds.

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
        """Returns the problem of two clouds, whose parts are differentiable in them.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).
        """

    def find(self, source: Measure, target: Measure, needs: Needs, start: Start | None) -> Optimum:
        """Returns the best coupling that was found, with its value, potentials and how the solver fared.

        Args:
            source: The source, with shape (N, D).
            target: The target, with shape (M, D).
            needs: Whether gradients to the points of both sides and to their masses are asked for.
            start: The earlier solution to start from, or `None`.

        Raises:
            CloudError: If distances are not finite.
        """
        dtype = source.points.dtype
        if self.solving.tolerance < _FINEST * torch.finfo(dtype).eps:  # which this precision would never meet
            return _cast(self.find(source.to(torch.float64), target.to(torch.float64), needs, start), dtype)
        if (source.lost is not None or target.lost is not None) and not (needs[2] or needs[3]) and not self.paired:
            return _expand(
                self.find(source.positive, target.positive, needs, _restrict(start, source, target)), source, target
            )
        inputs = (source.points, target.points, source.masses, target.masses)
        leaves = [
            each.detach().requires_grad_(need) if need else each for each, need in zip(inputs, needs, strict=True)
        ]
        with torch.set_grad_enabled(any(needs)):
            sides = [
                Cloud(points, masses if measure.weighted or not self.paired else None)
                for points, masses, measure in zip(leaves[:2], leaves[2:], (source, target), strict=True)
            ]
            found = self.answer(sides[0], sides[1], start)
        wanted = [leaf for leaf, need in zip(leaves, needs, strict=True) if need]
        slopes = iter(torch.autograd.grad(found.objective, wanted, allow_unused=True) if wanted else ())
        gradients = [next(slopes) if need else None for need in needs]
        return Optimum(
            objective=found.objective.detach(),
            gradients=[
                torch.zeros_like(leaf) if need and each is None else each
                for each, leaf, need in zip(gradients, leaves, needs, strict=True)
            ],
            plan=found.plan,
            details=lambda: (found.value.detach(), found.potentials),
            iterations=found.iterations,
            converged=found.converged,
            asked=found.asked,
            temperature=found.temperature,
            marginal_error=found.marginal_error,
            gap=found.gap,
            state=found.state,
        )

    def answer(self, source: Cloud, target: Cloud, start: Start | None) -> Solution:
        """Returns the solution whose objective is the cost, differentiable in the clouds.

        Args:
            source: A cloud, with shape (N, D).
            target: A cloud, with shape (M, D).
            start: The earlier solution to start from, or `None`.
        """
        return self.solving.solution(self.problem(source, target), self.limits, start=start)

    def extra_repr(self) -> str:
        way = self.solving
        return f"epsilon={way.epsilon}, solver={way.solver!r}, tolerance={way.tolerance}, starts={way.starts}"


def _cast(found: Optimum, dtype: torch.dtype) -> Optimum:
    """Returns what was found in double precision, its numbers in another type; its plan stays as it is."""

    def details() -> tuple[Tensor, tuple[Tensor, Tensor]]:
        value, (f, g) = found.details()
        return value.to(dtype), (f.to(dtype), g.to(dtype))

    gradients = [None if each is None else each.to(dtype) for each in found.gradients]
    return replace(found, objective=found.objective.to(dtype), gradients=gradients, details=details)


def _restrict(start: Start | None, source: Measure, target: Measure) -> Start | None:
    """Returns a start between the points with mass."""
    return start and Start(Plan.of(source.gather(target.gather(start.plan.dense().T).T)), target.gather(start.g))


def _expand(found: Optimum, source: Measure, target: Measure) -> Optimum:
    """Returns what was found between points with mass as a solution between all: the others take no part."""
    inner = found.plan
    plan = Plan(
        (len(source), len(target)),
        lambda values: source.scatter(inner @ target.gather(values)),
        lambda values: target.scatter(inner.T @ source.gather(values)),
        lambda: source.scatter(target.scatter(inner.dense().T).T),
        inner.like,
    )

    def details() -> tuple[Tensor, tuple[Tensor, Tensor]]:
        value, (f, g) = found.details()
        return value, (source.scatter(f), target.scatter(g))

    of_x, of_y, *of_masses = found.gradients
    gradients = [None if slopes is None else side.scatter(slopes) for slopes, side in ((of_x, source), (of_y, target))]
    state = Start(plan, target.scatter(found.state.g))
    return replace(found, plan=plan, details=details, gradients=[*gradients, *of_masses], state=state)
