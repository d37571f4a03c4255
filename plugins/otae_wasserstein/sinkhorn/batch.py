"""The Sinkhorn divergences of a batch of pairs of clouds, solved together, with gradients by the envelope theorem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from otae.interfaces import move_to_heaviest
from otae.reductions import batch_squares
from otae.transport import Schedule, Until
from otae.transport.envelope import Needs

from .batch_bounds import bound_gaps, total_dual
from .batch_problem import BatchPotentials, BatchProblem, balance, balance_alone, multiply

_FIRST = 0.25  # of the diameter, as of single problems
_WARM = Until(0.1, 5, newton=False)
_PATIENCE = 10  # iterations of a batch to one of a single problem, which has Newton's method and the simplex to turn to
_SLACK = 5.0  # the share of the value that the gap may be, in units of the tolerance


@dataclass(frozen=True)
class BatchSolver:
    """Solves Sinkhorn divergences between clouds of one size.

    Args:
        schedule: The temperatures, and when to stop; its power is the exponent of the distance.
        debias: Whether to take off the transports of the clouds with themselves.
    """

    schedule: Schedule
    debias: bool

    @property
    def temperature(self) -> float:
        """Returns the temperature ε."""
        return self.schedule.last

    @property
    def softness(self) -> float:
        """Returns the temperature over the price of mass."""
        return self.schedule.softness(self.schedule.last)

    @property
    def apart(self) -> bool:
        """Returns whether the means of both sides cost what they cost, and the rest as much as without them."""
        return self.schedule.power == 2 and not self.softness

    def solve(self, inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, Sequence[Tensor | None], Tensor]:
        """Returns the divergences, with shape (B,), their gradients where asked for, and which are as close as was asked.

        Args:
            inputs: The points of sources and targets, with shapes (B, N, D) and (B, M, D), and their masses, (B, N) and
                (B, M).
            needs: Which of them gradients are asked for.
        """
        sides, masses = inputs[:2], inputs[2:]
        centres = [(mass[:, :, None] * side).sum(1, keepdim=True) for side, mass in zip(sides, masses, strict=True)]
        if not self.apart:
            centres = 2 * [(centres[0] + centres[1]) / 2]
        real = [side - centre for side, centre in zip(sides, centres, strict=True)]
        points = [move_to_heaviest(side, mass, mass <= 0) for side, mass in zip(real, masses, strict=True)]
        shift = (centres[0] - centres[1])[:, 0]
        own = [self._solve_alone(side, mass) for side, mass in zip(points, masses, strict=True)] if self.debias else []
        cross = self._solve_between(self._problem(points[0], points[1], *masses), own)
        value = cross.dual() - sum(each.dual() for each in own) / 2 + shift.square().sum(1)
        gradients: list[Tensor | None] = []
        pulls: dict[int, Tensor] = {}
        for axis in (0, 1):
            if not (needs[axis] or (self.apart and needs[2 + axis])):
                gradients.append(None)
                continue
            slopes = cross.slopes(axis, points[axis], points[1 - axis], self.schedule.power)
            if own:
                slopes = slopes - own[axis].slopes(0, points[axis], points[axis], self.schedule.power)
            slopes = slopes * masses[axis][:, :, None]
            pulls[axis] = (2 - 4 * axis) * shift - slopes.sum(1)
            gradients.append(slopes + masses[axis][:, :, None] * pulls[axis][:, None] if self.apart else slopes)
        for axis in (0, 1):
            by_mass = self._by_masses(axis, cross, own, real, points) if needs[2 + axis] else None
            if by_mass is not None and self.apart:
                by_mass = by_mass + multiply(real[axis], pulls[axis])
            gradients.append(by_mass)
        return (
            value,
            [each if need else None for each, need in zip(gradients, needs, strict=True)],
            self._close(cross, own),
        )

    def _problem(self, x: Tensor, y: Tensor, a: Tensor, b: Tensor) -> BatchProblem:
        squares = batch_squares(x, y)
        return BatchProblem(squares if self.schedule.power == 2 else squares.pow(self.schedule.power / 2), a, b)

    def _solve_alone(self, points: Tensor, masses: Tensor) -> _Solved:
        problem = self._problem(points, points, masses, masses)
        found = balance_alone(problem, self.temperature, self.softness, self.schedule.until)
        return _Solved(problem, found, self.temperature, self.softness)

    def _solve_between(self, problem: BatchProblem, own: list[_Solved]) -> _Solved:
        """Returns the solution from where the clouds' own problems end, or from annealing where this leads higher."""
        if not own:
            return self._anneal(problem)
        phi = own[0].potentials.phi
        gamma = problem.T.extrapolate(phi, self.temperature) / (1 + self.softness)
        sums = multiply(problem.kernel(phi, gamma, self.temperature), problem.b)
        off = (sums.log() + self.softness * phi).abs()
        potentials = BatchPotentials(phi, gamma, (problem.a * off).sum(1))
        first = _Solved(problem, potentials, self.temperature, self.softness)
        if not bool((first.potentials.violation > self.schedule.until.tolerance).any()):
            return first
        second = self._anneal(problem)
        better = (second.dual() > first.dual()) & (first.potentials.violation > self.schedule.until.tolerance)
        chosen = [
            torch.where(better.reshape(-1, *[1] * (one.ndim - 1)), one, other)
            for one, other in zip(vars(second.potentials).values(), vars(first.potentials).values(), strict=True)
        ]
        return replace(first, potentials=BatchPotentials(*chosen))

    def _anneal(self, problem: BatchProblem) -> _Solved:
        zeros = torch.zeros_like(problem.a), torch.zeros_like(problem.b)
        start, before = BatchPotentials(*zeros, zeros[0][:, 0]), self.temperature
        span = float(problem.costs.amax())
        for temperature in self.schedule.descent(_FIRST * span ** (1 / self.schedule.power)):
            softness = self.schedule.softness(temperature)
            start = balance(problem, start.times(before / temperature), temperature, softness, _WARM)
            before = temperature
        start = start.times(before / self.temperature)
        until = replace(self.schedule.until, most=_PATIENCE * self.schedule.until.most)
        found = balance(problem, start, self.temperature, self.softness, until)
        return _Solved(problem, found, self.temperature, self.softness)

    def _by_masses(
        self, axis: int, cross: _Solved, own: list[_Solved], real: list[Tensor], points: list[Tensor]
    ) -> Tensor:
        """Returns the gradients to the masses of one side, up to a constant, with shape (B, N)."""
        mass = (cross.problem.b, cross.problem.a)[axis]
        height = (cross.potentials.gamma, cross.potentials.phi)[axis]
        between = self._problem(real[axis], points[1 - axis], mass.new_ones(real[axis].shape[:2]), mass)
        found = self._by_potential(between.extrapolate(height, self.temperature))
        if own:
            alone = own[axis]
            within = self._problem(real[axis], points[axis], alone.problem.a, alone.problem.a)
            found = found - self._by_potential(within.extrapolate(alone.potentials.phi, self.temperature))
        return found

    def _by_potential(self, unpriced: Tensor) -> Tensor:
        """Returns derivatives by masses from the potentials that the points would have if mass had no price."""
        if not (softness := self.softness):
            return self.temperature * unpriced
        return -self.temperature * (1 + 1 / softness) * torch.expm1(-softness / (1 + softness) * unpriced)

    def _close(self, cross: _Solved, own: list[_Solved]) -> Tensor:
        """Returns which divergences are as close as the tolerance asks for, with shape (B,)."""
        tolerance, size = self.schedule.until.tolerance, cross.dual().abs() + self.temperature
        close = cross.potentials.violation <= tolerance
        for each in own:
            close &= each.potentials.violation <= tolerance
        gaps = bound_gaps(cross.problem, cross.potentials, self.temperature, self.softness)
        return close & (gaps <= _SLACK * tolerance * size)


@dataclass(frozen=True, eq=False)
class _Solved:
    """Holds problems with their potentials at a temperature."""

    problem: BatchProblem
    potentials: BatchPotentials
    temperature: float
    softness: float

    def dual(self) -> Tensor:
        return total_dual(self.problem, self.potentials, self.temperature, self.softness)

    def slopes(self, axis: int, points: Tensor, others: Tensor, power: float) -> Tensor:
        """Returns the derivatives of the values by the points of one side over their masses, with shape (B, N, D)."""
        problem = self.problem if axis == 0 else self.problem.T
        potentials = (self.potentials.phi, self.potentials.gamma)
        plan = problem.kernel(potentials[axis], potentials[1 - axis], self.temperature) * problem.b[:, None]
        plan = plan / plan.sum(2, keepdim=True)
        if self.softness:  # what is left of the mass
            plan = plan * (-self.softness * potentials[axis]).exp()[:, :, None]
        if power != 2:
            tiny = torch.finfo(plan.dtype).tiny
            plan = plan * (problem.costs / problem.costs.pow(2 / power).clamp_min(tiny))
        return power * (plan.sum(2, keepdim=True) * points - torch.bmm(plan, others))
