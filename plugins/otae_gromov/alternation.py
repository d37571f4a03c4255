"""The alternation between a coupling and its moment, which solves quadratic transport problems from several starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from otae.interfaces import Plan

from .geometry import Geometry
from .linear import Linear
from .quadratic import Quadratic

_NUDGE = 1e-3  # how far the first start lies from the independent coupling, which is stationary for symmetric clouds
_ROUNDING = 16.0  # the finest tolerance that can be met, in units of the precision
_INEXACT = 0.1  # the violation allowed to a linear problem, relative to how far the moment still moves


@dataclass(frozen=True, eq=False)
class Stationary:
    """Creates a stationary point of a quadratic transport problem.

    Args:
        plan: The plan.
        moment: Its moment, with shape (K, L).
        potentials: The dual potentials of its linear problem, with shapes (N,) and (M,), in units of the cost.
        value: The objective of the plan without entropy, a scalar in double precision.
        objective: The objective with entropy, a scalar in double precision.
        iterations: The number of linear problems that were solved.
        converged: Whether the moment stood still and the marginals were met, up to the tolerance.
        violation: The share of the mass by which the marginals are off.
    """

    plan: Plan
    moment: Tensor
    potentials: tuple[Tensor, Tensor]
    value: Tensor
    objective: Tensor
    iterations: int
    converged: bool
    violation: float


def best(
    problem: Quadratic,
    linear: Callable[[], Linear],
    moments: Iterable[Tensor],
    tolerance: float,
    max_iterations: int,
) -> Stationary:
    """Returns the stationary point with the least objective among those found from several starts.

    Args:
        problem: The problem.
        linear: Makes a fresh solver of its linear problems.
        moments: Where to start from: each a moment, with shape (K, L).
        tolerance: The share of mass, and of the moment, to solve to.
        max_iterations: The most linear problems to solve from each start.
    """
    with torch.no_grad(), torch.autocast(problem.left.device.type, enabled=False):
        found = [alternate(problem, linear(), moment, tolerance, max_iterations) for moment in moments]
    return min(found, key=lambda each: float(each.objective))


def alternate(problem: Quadratic, linear: Linear, moment: Tensor, tolerance: float, max_iterations: int) -> Stationary:
    """Returns the stationary point that an alternation reaches.

    Args:
        problem: The problem.
        linear: The solver of its linear problems.
        moment: The moment of the first linear problem, with shape (K, L).
        tolerance: The share of mass, and of the moment, to solve to.
        max_iterations: The most linear problems to solve.
    """
    tolerance = max(tolerance, _ROUNDING * torch.finfo(moment.dtype).eps)
    scale = float((problem.source.spread * problem.target.spread).sqrt()) or 1.0
    moved, iterations, converged = 1.0, 0, False
    while not converged and iterations < max_iterations:
        used = moment
        step = linear.solve(*problem.factors(used), max(tolerance, _INEXACT * min(moved, 0.1)))
        moment = problem.moment(step.plan)
        moved = float((moment - used).norm()) / scale
        iterations += 1
        converged = step.settled and moved <= tolerance and step.violation <= tolerance
    f, g = step.potentials
    dual = (linear.a.double() * f.double()).sum() + (linear.b.double() * g.double()).sum()
    objective = problem.constant + problem.curvature * used.double().square().sum() + dual
    return Stationary(
        step.plan, moment, (f, g), problem.value(step.plan, moment), objective, iterations, converged, step.violation
    )


def first_moments(source: Geometry, target: Geometry, starts: int) -> Iterator[Tensor]:
    """Yields where alternations start: next to the independent coupling, on matched principal axes, on random signs and turns.

    Axes are oriented by the skewness along them, so that a cloud and its image under an isometry match at once.

    Args:
        source: The geometry of the source.
        target: The geometry of the target.
        starts: How many to yield.
    """
    (of_x, x_axes), (of_y, y_axes) = source.principal, target.principal
    count = min(len(of_x), len(of_y))
    strengths = (of_x[:count] * of_y[:count]).sqrt()
    matched = (x_axes[:, :count] * strengths) @ y_axes[:, :count].T
    for start in range(starts):
        if start < 2:
            yield matched * (_NUDGE if start == 0 else 1.0)
        elif start % 2 == 0:
            signs = torch.randint(0, 2, (count,), device=strengths.device) * 2 - 1
            yield (x_axes[:, :count] * (strengths * signs)) @ y_axes[:, :count].T
        else:  # where variances are equal, axes are arbitrary
            turn = torch.linalg.qr(torch.randn(count, count, dtype=strengths.dtype, device=strengths.device)).Q
            yield (x_axes[:, :count] * strengths) @ turn @ y_axes[:, :count].T
