"""From coarse to fine: high temperatures first, and few points before many."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from .balance import Potentials, Until, balance, balance_alone
from .entropic import Problem

_FIRST = 0.25  # of the diameter: costs of up to eight times the temperature need no warmth
_STRIDE = 4  # points of a problem to one of the next sparser problem
_ROUNDING = 16  # of the largest cost, in units of epsilon
_WARM = Until(0.1, 5)  # at temperatures above the last
_SPARSE = Until(0.02, 30)  # on sparser clouds


@dataclass(frozen=True)
class Schedule:
    r"""Creates the temperatures of entropic transport: $\varepsilon = p\,\sigma^p$ for a blur σ that shrinks.

    Args:
        power: The exponent p of the ground cost.
        blur: The last blur, a length.
        scaling: The ratio of one blur to the one before.
        reach: The length beyond which mass is rather lost than moved; infinite where the marginals are held.
        until: When to stop at the last temperature.
    """

    power: int
    blur: float
    scaling: float
    reach: float
    until: Until

    def temperature(self, length: float) -> float:
        """Returns the temperature of a blur, or the price of mass of a reach.

        Args:
            length: The blur or the reach.
        """
        return float(self.power * length**self.power)

    @property
    def last(self) -> float:
        """Returns the last temperature."""
        return self.temperature(self.blur)

    def softness(self, temperature: float) -> float:
        """Returns a temperature over the price of mass.

        Args:
            temperature: The temperature.
        """
        return temperature / self.temperature(self.reach)

    def resolved(self, diameter: float, dtype: torch.dtype) -> Schedule:
        """Returns the schedule that ends where costs over the temperature would be mere rounding, if not before.

        Costs far beyond the price of mass do not count.

        Args:
            diameter: The largest distance between the points.
            dtype: The type of the points.
        """
        least = min(diameter, self.reach) * (_ROUNDING * torch.finfo(dtype).eps / self.power) ** (1 / self.power)
        return replace(self, blur=max(self.blur, least))

    def descent(self, length: float) -> list[float]:
        """Returns the temperatures above the last, from that of a length on.

        Args:
            length: The first blur.
        """
        lengths = []
        while length > self.blur:
            lengths.append(length)
            length *= self.scaling
        return [self.temperature(length) for length in lengths]


def solved(problem: Problem, schedule: Schedule, until: Until | None = None) -> Potentials:
    """Returns the potentials of a problem at the last temperature, for which the columns of the plan are exact.

    Where there are too many pairs to hold, the potentials of sparser clouds are where the iteration starts.

    Args:
        problem: The problem.
        schedule: The temperatures.
        until: When to stop at the last one; as the schedule says where `None`.
    """
    start = _annealed(problem, schedule) if problem.held else _refined(problem, schedule)
    method = balance_alone if problem.alone else balance
    return method(problem, start, schedule.last, schedule.softness(schedule.last), until or schedule.until)


def _annealed(problem: Problem, schedule: Schedule) -> Potentials:
    zeros = torch.zeros_like(problem.source.masses)
    start = Potentials(zeros, zeros if problem.alone else torch.zeros_like(problem.target.masses))
    if problem.alone:
        return start  # half steps need no warmth
    before = schedule.last
    for temperature in schedule.descent(_FIRST * problem.diameter):
        start = balance(problem, start.times(before / temperature), temperature, schedule.softness(temperature), _WARM)
        before = temperature
    return start.times(before / schedule.last)


def _refined(problem: Problem, schedule: Schedule) -> Potentials:
    sparse = problem.sparser(_STRIDE)
    found = solved(sparse, schedule, _SPARSE)
    damping = 1 / (1 + schedule.softness(schedule.last))
    phi = damping * sparse.extrapolated(problem.source.points, found.gamma, schedule.last)
    if problem.alone:
        return Potentials(phi, phi, iterations=found.iterations)
    gamma = damping * sparse.T.extrapolated(problem.target.points, found.phi, schedule.last)
    return Potentials(phi, gamma, iterations=found.iterations)
