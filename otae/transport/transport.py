"""The abstract base of costs that solve a transport problem."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..cloud import Cloud, CloudLike
from ..errors import CloudError
from ..interfaces import Cost, Plan, Solution
from ..interfaces.arguments import move_broken
from ..reductions import precise
from .envelope import Needs, solve_with_gradients
from .limits import Limits
from .measure import Measure


@dataclass(frozen=True, eq=False)
class Optimum:
    """Holds what an author's solver returns: a solution cut from the graph, and its gradients.

    Args:
        objective: What was minimised, a scalar.
        gradients: The gradients of the objective to the source's points, the target's, the source's masses and the target's;
            `None` where none was asked for.
        plan: The plan, with shape (N, M).
        details: Returns what the plan costs without regularisation, a scalar, and the dual potentials, with shapes (N,) and
            (M,), in units of the cost; called only where a solution is asked for.
        iterations: How many iterations it took.
        converged: Whether the solver met its tolerances.
        asked: The temperature that was asked for.
        temperature: The temperature that was used.
        marginal_error: The total mass by which the plan's marginals are off.
        gap: A bound on how far the objective is from the optimum.
        state: What a later solve can start from.
        certify: Returns the marginals' error and the gap in place of these, where they take time; called only where a solution
            is asked for, or the solver did not converge.
        follow: Returns the objective of the points of source and target, with shapes (N, D) and (M, D), as a scalar with their
            graph, what was found held still; `None` where second derivatives would then be wrong.
    """

    objective: Tensor
    gradients: Sequence[Tensor | None]
    plan: Plan
    details: Callable[[], tuple[Tensor, tuple[Tensor, Tensor]]]
    iterations: int
    converged: bool
    asked: float = 0.0
    temperature: float = 0.0
    marginal_error: float = 0.0
    gap: float = math.inf
    state: Any = None
    certify: Callable[[], tuple[float, float]] | None = None
    follow: Callable[[Tensor, Tensor], Tensor] | None = None

    def bounds(self) -> tuple[float, float]:
        """Returns the marginals' error, and the bound on the gap."""
        if self.certify is None:
            return self.marginal_error, self.gap
        with torch.no_grad(), torch.autocast(self.objective.device.type, enabled=False):
            return self.certify()


class Transport(Cost):
    """Abstract base of costs that solve a transport problem; an author writes `find`.

    It lifts clouds to measures in one precision, keeps autocast away, hands gradients on, and counts what did not converge.

    Attributes:
        limits: The sizes at which solvers change their ways.
        solves: How many problems were solved since `take_unconverged` was last called.
        unconverged: How many of them did not converge.
        trouble: What the last of them says of itself, with the cure.
        follows: Whether what a solution holds still does not move with the points, as a vertex of the polytope of couplings
            does not: an optimum then tells how to `follow` it, and second derivatives are right.
        cure: What to do where a solver does not converge, for the warning.
    """

    follows = False
    cure = "Raise max_iterations, or the temperature (blur, epsilon), or the tolerance."

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__()
        self.limits = limits or Limits()
        self.solves, self.unconverged, self.trouble, self._warned = 0, 0, "", False

    @abstractmethod
    def find(self, source: Measure, target: Measure, needs: Needs, start: Any) -> Optimum:
        """Returns the solution of the problem between two measures, cut from the graph.

        Args:
            source: The source, with shape (N, D).
            target: The target, with shape (M, D).
            needs: Whether gradients to the source's points, the target's, and the masses of both are asked for.
            start: The `state` of an earlier solution to start from, or `None`.
        """

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the cost, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If points with weight are not finite.
        """
        return self._find(source, target, None)[0]

    def solve(self, source: CloudLike, target: CloudLike, start: Solution | None = None) -> Solution:
        """Returns the plan that was found, with its cost, potentials, and how well it was solved.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).
            start: The solution of a similar problem, between as many points, to start from.

        Raises:
            CloudError: If the clouds do not fit the cost or the start, or points with weight are not finite.
        """
        first, second = (move_broken(cloud) for cloud in self._lift(source, target))
        if start is not None and start.plan.shape != (len(first), len(second)):
            raise CloudError(
                f"A start has the points of its own problem, {start.plan.shape}, but these are {len(first)} and "
                f"{len(second)}. Start from a solution between as many points, or from none."
            )
        objective, found = self._find(first, second, None if start is None else start.state)
        with torch.no_grad(), torch.autocast(first.points.device.type, enabled=False):
            value, potentials = found.details()
        marginal_error, gap = found.bounds()
        return Solution(
            value=value,
            objective=objective,
            plan=found.plan,
            potentials=potentials,
            iterations=found.iterations,
            converged=found.converged,
            asked=found.asked,
            temperature=found.temperature,
            marginal_error=marginal_error,
            gap=gap,
            state=found.state,
        )

    def take_unconverged(self) -> float | None:
        """Returns the share of solves since the last call that did not converge; `None` where nothing was solved."""
        share = self.unconverged / self.solves if self.solves else None
        self.solves = self.unconverged = 0
        return share

    def _find(self, source: Cloud, target: Cloud, start: Any) -> tuple[Tensor, Optimum]:
        found: list[Optimum] = []
        weighted = source.weights is not None, target.weights is not None

        def solve(inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, Sequence[Tensor | None]]:
            x, y, a, b = inputs
            sides = Measure(x, a, weighted[0]), Measure(y, b, weighted[1])
            with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
                found.append(self.find(*sides, needs, start))
            return found[0].objective, found[0].gradients

        x, y = precise(source.flat), precise(target.flat)
        masses = [cloud_masses(cloud, like) for cloud, like in ((source, x), (target, y))]
        fixed = not (torch.is_grad_enabled() and any(each.requires_grad for each in masses))
        if self.follows and fixed:
            solve_with_gradients(solve, (x.detach(), y.detach(), *masses))
            follow = found[0].follow
            objective = follow(x, y) if follow else found[0].objective
        else:
            objective = solve_with_gradients(solve, (x, y, *masses))
        self._count(found[0])
        return objective, found[0]

    def _count(self, found: Optimum) -> None:
        self.solves += 1
        if not found.converged:
            self.unconverged += 1
            marginal_error, gap = found.bounds()
            bound = f", and its value by up to {gap:.2g}" if math.isfinite(gap) else ""
            self.trouble = (
                f"{type(self).__name__} did not converge: after {found.iterations} iterations its marginals are off by "
                f"{marginal_error:.2g} of the mass{bound}. {self.cure}"
            )
        if found.temperature > found.asked * (1 + 1e-6) and not self._warned:
            self._warned = True
            warnings.warn(
                f"{type(self).__name__} cannot resolve the temperature {found.asked:.3g} between clouds so wide, and took "
                f"{found.temperature:.3g}. Use double precision, scale the points, or ask for a higher temperature.",
                RuntimeWarning,
                stacklevel=5,
            )


def cloud_masses(cloud: Cloud, like: Tensor) -> Tensor:
    """Returns the masses of a cloud in a precision in which they sum to 1, with shape (N,).

    Args:
        cloud: The cloud, with shape (N, …).
        like: A tensor of that precision.
    """
    if cloud.weights is None:
        return like.new_full((len(cloud),), 1 / len(cloud))
    weights = cloud.weights.to(like.dtype)
    return weights / weights.sum()
