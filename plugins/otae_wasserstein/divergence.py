"""The Sinkhorn divergence of two weighted clouds, with gradients by the envelope theorem."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from otae.errors import CloudError
from otae.interfaces import Plan
from otae.reductions import Backend

from .annealing import Schedule
from .balance import Potentials
from .entropic import Points, Problem
from .envelope import with_gradients
from .transport import Transport

Solver: TypeAlias = Callable[[Problem, Schedule], Potentials]


@dataclass(frozen=True, eq=False)
class Side:
    """Creates a weighted cloud of which some points may have no mass.

    Args:
        points: The points, with shape (N, D), whose gradient may be asked for.
        masses: Their masses, with shape (N,), of sum 1, whose gradient may be asked for.
        kept: The indices of the points with mass; all where `None`.
        lost: The indices of the points without; none where `None`.
    """

    points: Tensor
    masses: Tensor
    kept: Tensor | None = None
    lost: Tensor | None = None

    @classmethod
    def of(cls, points: Tensor, masses: Tensor, weighted: bool) -> Side:
        """Returns a cloud as a side.

        Args:
            points: The points, with shape (N, D).
            masses: Their masses, with shape (N,), of sum 1.
            weighted: Whether some masses may be 0.
        """
        if not weighted or bool((masses > 0).all()):
            return cls(points, masses)
        kept, lost = (chosen.nonzero()[:, 0] for chosen in (masses > 0, masses <= 0))
        return cls(points, masses, kept, lost)

    def massive(self) -> Points:
        """Returns the points with mass, cut from the graph."""
        points, masses = self.points.detach(), self.masses.detach()
        return Points(points, masses) if self.kept is None else Points(points[self.kept], masses[self.kept])

    def gathered(self, values: Tensor) -> Tensor:
        """Returns the values of points with mass, with shape (n, …).

        Args:
            values: One or several values per point, with shape (N, …).
        """
        return values if self.kept is None else values[self.kept]

    def spread(self, values: Tensor) -> Tensor:
        """Returns values of the points with mass as values of all points, 0 at the others, with shape (N, …).

        Args:
            values: One or several values per point with mass, with shape (n, …).
        """
        if self.kept is None:
            return values
        return values.new_zeros(len(self.points), *values.shape[1:]).index_copy(0, self.kept, values)

    def completed(self, transport: Transport, axis: int) -> Tensor:
        """Returns the potential of a transport at all points, those without mass included, with shape (N,).

        Args:
            transport: A transport from or to the points with mass.
            axis: Which side of it they are.
        """
        potential = self.spread(transport.potential(axis))
        if self.lost is None:
            return potential
        return potential.index_copy(0, self.lost, transport.potential_at(self.points.detach()[self.lost], axis))


@dataclass(frozen=True, eq=False)
class Divergence:
    r"""Creates the entropic transport between two sides, less half that of either with itself where it is debiased.

    $$S(x, y) = \mathrm{OT}(x, y) - \tfrac12 \mathrm{OT}(x, x) - \tfrac12 \mathrm{OT}(y, y)$$

    Args:
        source: The source.
        target: The target.
        cross: The transport between them.
        own: The transports of the source and of the target with itself; none where it is not debiased.
    """

    source: Side
    target: Side
    cross: Transport
    own: tuple[Transport, ...]

    @classmethod
    def of(
        cls, source: Side, target: Side, schedule: Schedule, debias: bool, solver: Solver, backend: Backend
    ) -> Divergence:
        """Returns the divergence, its problems solved.

        Args:
            source: The source.
            target: The target.
            schedule: The temperatures.
            debias: Whether to take off the transports of source and target with themselves.
            solver: What solves a problem.
            backend: The backend of sums over pairs too many to be held.

        Raises:
            CloudError: If points are not finite.
        """
        x, y = source.massive(), target.massive()
        pairs = [(x, y), (x, x), (y, y)] if debias else [(x, y)]
        problems = [Problem(*pair, schedule.power, backend) for pair in pairs]
        schedule = schedule.resolved(problems[0].diameter, x.points.dtype)
        cross, *own = [Transport(problem, solver(problem, schedule), schedule) for problem in problems]
        if not all(math.isfinite(each.potentials.violation) for each in (cross, *own)):
            raise CloudError("The clouds have points that are not finite, or so far apart that their costs overflow.")
        return cls(source, target, cross, tuple(own))

    @property
    def sides(self) -> tuple[Side, Side]:
        """Returns the source and the target."""
        return self.source, self.target

    @property
    def converged(self) -> bool:
        """Returns whether all marginals are as close as was asked."""
        tolerance = self.cross.schedule.until.tolerance
        return all(each.potentials.violation <= tolerance for each in (self.cross, *self.own))

    def potential(self, axis: int) -> Tensor:
        """Returns the potential of the transport between the sides at all points of one, with shape (N,) or (M,).

        Args:
            axis: The side.
        """
        return self.sides[axis].completed(self.cross, axis)

    def plan(self) -> Plan:
        """Returns the plan between all points of the sides."""
        (a, b), density = (side.masses.detach()[:, None] for side in self.sides), self.cross.density
        x, y = self.sides
        return Plan(
            (len(a), len(b)),
            lambda values: a * x.spread(density.rows(y.gathered(b * values))),
            lambda values: b * y.spread(density.columns(x.gathered(a * values))),
            lambda: a * x.spread(y.spread(density.dense().T).T) * b.T,
        )

    def value(self) -> Tensor:
        """Returns the value, a scalar that is differentiable in the points and masses of both sides."""
        total = self.cross.dual() - sum(each.dual() for each in self.own) / 2
        inputs = (self.source.points, self.target.points, self.source.masses, self.target.masses)
        if not (torch.is_grad_enabled() and any(each.requires_grad for each in inputs)):
            return total
        gradients = [self._by_points(axis) if inputs[axis].requires_grad else None for axis in (0, 1)]
        gradients += [self._by_masses(axis) if inputs[2 + axis].requires_grad else None for axis in (0, 1)]
        return with_gradients(total, inputs, gradients)

    def _by_points(self, axis: int) -> Tensor:
        by_point = self.cross.by_point(axis)
        if self.own:
            by_point -= self.own[axis].by_point(0)
        return self.sides[axis].spread(by_point.mul_(self.cross.sides[axis].masses[:, None]))

    def _by_masses(self, axis: int) -> Tensor:
        by_mass = self.cross.by_mass(self.potential(axis))
        if self.own:
            own = self.own[axis]
            by_mass = by_mass - own.by_mass(self.sides[axis].completed(own, 1))
        return by_mass
