"""The Sinkhorn divergence of two measures, never below 0, with its gradients by the envelope theorem."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from otae.errors import CloudError
from otae.transport import (
    Coupling,
    Distances,
    GroundCosts,
    Limits,
    Measure,
    PairCosts,
    Potentials,
    Problem,
    Scalings,
    Schedule,
    by_point,
    finish,
)

Solver: TypeAlias = Callable[..., Potentials]
Costs: TypeAlias = Callable[[Tensor, Tensor | None], PairCosts]

_SLACK = 5.0  # the share of the value that the gap may be, in units of the tolerance


@dataclass(frozen=True, eq=False)
class Divergence:
    r"""Holds the entropic transport between two measures, less half that of either with itself where it is debiased.

    $$S(x, y) = \mathrm{OT}(x, y) - \tfrac12 \mathrm{OT}(x, x) - \tfrac12 \mathrm{OT}(y, y)$$

    The problems of the clouds with themselves are solved first, which is fast at any temperature. Their potentials are
    where the problem between the clouds starts: between equal clouds they solve it, so that all errors cancel, and from
    there the dual value rises, so that the divergence is never below 0, however far from converged it is. Where annealing
    finds a higher dual value, that is taken.

    Args:
        source: The source.
        target: The target.
        cross: The coupling between them.
        own: The couplings of the source and of the target with itself; none where it is not debiased.
        schedule: The temperatures, and when the solvers had to stop.
    """

    source: Measure
    target: Measure
    cross: Coupling
    own: tuple[Coupling, ...]
    schedule: Schedule

    @property
    def sides(self) -> tuple[Measure, Measure]:
        """Returns the source and the target."""
        return self.source, self.target

    @property
    def couplings(self) -> tuple[Coupling, ...]:
        """Returns the coupling between the sides, and those of either with itself."""
        return (self.cross, *self.own)

    @property
    def marginal_error(self) -> float:
        """Returns the largest total mass by which the marginals of a coupling are off."""
        return max(each.certificate.marginal_error for each in self.couplings)

    @property
    def gap(self) -> float:
        """Returns a bound on how far the value may be from the divergence."""
        return self.cross.certificate.gap + sum(each.certificate.gap for each in self.own) / 2

    @property
    def converged(self) -> bool:
        """Returns whether the marginals of all couplings, and the value between the sides, are as close as was asked."""
        tolerance = self.schedule.until.tolerance
        return _close(self.cross, self.schedule) and all(each.potentials.violation <= tolerance for each in self.own)

    def potential(self, axis: int, coupling: Coupling | None = None) -> Tensor:
        """Returns the potential of a coupling at all points of a side, with shape (N,) or (M,).

        Args:
            axis: The side.
            coupling: A coupling of its points with mass; that between the sides where `None`.
        """
        side, own = self.sides[axis], coupling is not None
        coupling = coupling or self.cross
        row = 1 if own else axis
        if side.lost is None:
            return coupling.potential(row)
        problem = coupling.problem if row == 0 else coupling.problem.T
        costs, other = problem.costs, coupling.potential(1 - row)
        assert isinstance(costs, Distances | GroundCosts)  # as `solve_divergence` makes them
        lost = costs.between(side.points[side.lost], costs.y).soft_minimum(other + problem.log_b, coupling.temperature)
        return side.scatter(coupling.potential(row), lost / (1 + coupling.softness))

    def value(self) -> Tensor:
        """Returns the value, a scalar."""
        total: Tensor = self.cross.dual() - sum(each.dual() for each in self.own) / 2
        return total

    def by_points(self, axis: int) -> Tensor:
        """Returns the gradient to the points of a side, with their shape.

        Args:
            axis: The side.
        """
        slopes = _slopes(self.cross, axis)
        if self.own:
            slopes = slopes - _slopes(self.own[axis], 0)
        side = self.sides[axis]
        return side.scatter(slopes * side.positive.masses[:, None])

    def by_masses(self, axis: int) -> Tensor:
        """Returns the gradient to the masses of a side, up to a constant, with their shape.

        Args:
            axis: The side.
        """
        by_mass = self.cross.by_mass(self.potential(axis))
        if self.own:
            by_mass = by_mass - self.own[axis].by_mass(self.potential(axis, self.own[axis]))
        return by_mass


def solve_divergence(
    source: Measure,
    target: Measure,
    schedule: Schedule,
    debias: bool,
    solver: Solver,
    costs: Costs,
    limits: Limits,
    start: tuple[Potentials, ...] | None = None,
) -> Divergence:
    """Returns the divergence of two measures, its problems solved.

    Args:
        source: The source.
        target: The target.
        schedule: The temperatures.
        debias: Whether to take off the couplings of source and target with themselves.
        solver: What solves a problem from scratch.
        costs: Returns the costs between points, or within those of one cloud.
        limits: The sizes at which solvers change their ways.
        start: The potentials of an earlier divergence, of each of its couplings, in units of the last temperature.

    Raises:
        CloudError: If points are not finite.
    """
    x, y = source.positive, target.positive

    def problem(first: Measure, second: Measure | None) -> Problem:
        pairs = costs(first.points, None if second is None else second.points)
        return Problem(pairs, first.masses, first.masses if second is None else second.masses)

    def couple(between: Problem, potentials: Potentials) -> Coupling:
        if not math.isfinite(potentials.violation):
            raise CloudError("The clouds have points that are not finite, or so far apart that their costs overflow.")
        return Coupling(between, potentials, schedule.last, schedule.softness(schedule.last))

    own = []
    for index, side in enumerate((x, y) if debias else ()):
        alone = problem(side, None)
        own.append(couple(alone, solver(alone, schedule, start=None if start is None else start[1 + index])))
    between = problem(x, y)
    candidates = []
    if own and start is None:
        candidates.append(couple(between, _begin(between, own, schedule)))
    if not candidates or candidates[0].potentials.violation > schedule.until.tolerance:
        candidates.append(couple(between, solver(between, schedule, start=None if start is None else start[0])))
    cross = max(candidates, key=lambda each: float(each.dual())) if len(candidates) > 1 else candidates[0]
    if not _close(cross, schedule) and not cross.softness and limits.finishes(len(x) * len(y)):
        cross = couple(between, finish(between, cross.potentials, schedule.last, schedule.until))
    return Divergence(source, target, cross, tuple(own), schedule)


def _close(coupling: Coupling, schedule: Schedule) -> bool:
    """Tells whether a coupling is as close to the best one as the tolerance asks for."""
    tolerance, size = schedule.until.tolerance, abs(float(coupling.dual())) + schedule.last
    return coupling.potentials.violation <= tolerance and coupling.certificate.gap <= _SLACK * tolerance * size


def _begin(problem: Problem, own: list[Coupling], schedule: Schedule) -> Potentials:
    """Returns the potentials of the clouds' own problems, of which that of the target is made exact for the columns."""
    softness, phi = schedule.softness(schedule.last), own[0].potentials.phi
    gamma = problem.T.extrapolate(phi, schedule.last) / (1 + softness)
    off = Scalings(problem, Potentials(phi, gamma), schedule.last, softness).off_rows()
    return Potentials(phi, gamma, torch.dot(problem.a, off.abs()).item(), own[0].potentials.iterations)


def _slopes(coupling: Coupling, axis: int) -> Tensor:
    return by_point(coupling.problem.costs, coupling, axis)
