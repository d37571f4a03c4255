"""From coarse to fine: high temperatures first, few points before many, and a simplex where all that is not enough."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from .balancing import balance, balance_alone
from .given_costs import Matrix
from .newton import ascend
from .potentials import Potentials, Until
from .problem import Problem
from .scalings import Scalings
from .simplex import solve_simplex

_FIRST = 0.25  # of the diameter: costs of up to eight times the temperature need no warmth
_FEWEST = 4  # points of a sparser problem
_ROUNDING = 16  # of the largest cost, in units of epsilon
_WARM = Until(0.1, 5, newton=False)  # at temperatures above the last
_SPARSE = Until(0.02, 30, newton=False)  # on sparser clouds
_FINE = 1e-9  # the violation that Newton's method, which is then fast, goes on to
_POLISH = 500  # products with the plan that Newton's method may take after the simplex


@dataclass(frozen=True)
class Schedule:
    r"""Holds the temperatures of entropic transport: $\varepsilon = p\,\sigma^p$ for a blur σ that shrinks.

    Args:
        power: The exponent p of the ground cost.
        blur: The last blur, a length.
        scaling: The ratio of one blur to the one before.
        reach: The length beyond which mass is rather lost than moved; infinite where the marginals are held.
        until: When to stop at the last temperature.
    """

    power: float
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

    def least(self, span: float, dtype: torch.dtype) -> float:
        """Returns the least blur for which costs over the temperature are more than rounding.

        Costs far beyond the price of mass do not count.

        Args:
            span: The largest cost.
            dtype: The type of the costs.
        """
        span = min(span, self.reach**self.power)
        return float((span * _ROUNDING * torch.finfo(dtype).eps / self.power) ** (1 / self.power))

    def above(self, least: float) -> Schedule:
        """Returns the schedule that ends at a blur, if not before.

        Args:
            least: The blur.
        """
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


def anneal(
    problem: Problem, schedule: Schedule, until: Until | None = None, start: Potentials | None = None
) -> Potentials:
    """Returns the potentials of a problem at the last temperature, for which the columns of the plan are exact.

    Where there are too many pairs to hold, the potentials of sparser clouds are where the iteration starts.

    Args:
        problem: The problem.
        schedule: The temperatures.
        until: When to stop at the last one; as the schedule says where `None`.
        start: Potentials in units of the last temperature, from which to start there at once.
    """
    until = until or schedule.until
    if start is None:
        few = min(problem.costs.shape) < _FEWEST * problem.costs.limits.stride
        start = _cool(problem, schedule) if problem.costs.held or few else _refine(problem, schedule)
    method = balance_alone if problem.alone else balance
    return method(problem, start, schedule.last, schedule.softness(schedule.last), until)


def _cool(problem: Problem, schedule: Schedule) -> Potentials:
    start = Potentials(*problem.zeros())
    if problem.alone:
        return start  # half steps need no warmth
    before = schedule.last
    first = _FIRST * problem.costs.span ** (1 / schedule.power)
    for temperature in schedule.descent(first):
        start = balance(problem, start.times(before / temperature), temperature, schedule.softness(temperature), _WARM)
        before = temperature
    return start.times(before / schedule.last)


def _refine(problem: Problem, schedule: Schedule) -> Potentials:
    sparse = problem.sparser()
    found = anneal(sparse, schedule, _SPARSE)
    damping = 1 / (1 + schedule.softness(schedule.last))
    costs = problem.costs.thin_columns()
    phi = damping * costs.soft_minimum(found.gamma + sparse.log_b, schedule.last)
    if problem.alone:
        return Potentials(phi, phi, iterations=found.iterations)
    gamma = damping * problem.costs.T.thin_columns().soft_minimum(found.phi + sparse.log_a, schedule.last)
    return Potentials(phi, gamma, iterations=found.iterations)


def finish(problem: Problem, found: Potentials, temperature: float, until: Until) -> Potentials:
    """Returns potentials with a higher dual value, from those of the network simplex, or the same ones where there are none.

    Args:
        problem: The problem, small enough to be held, and with marginals that are held.
        found: Its potentials as they were found.
        temperature: The temperature ε.
        until: When to stop.
    """
    exact = Problem(Matrix(problem.costs.matrix.double(), problem.costs.limits), problem.a.double(), problem.b.double())
    gamma = solve_simplex(exact.costs.matrix, exact.a, exact.b).potentials[1] / temperature
    state = Scalings(exact, Potentials(exact.extrapolate(gamma, temperature), gamma), temperature, 0.0)
    state.v = state.v - state.off_columns()
    state, violation, products, _ = ascend(state, Until(min(until.tolerance, _FINE), _POLISH))
    better = state.potentials(violation, found.iterations + products)
    duals = [float(exact.a @ each.phi.double() + exact.b @ each.gamma.double()) for each in (found, better)]
    if not duals[1] > duals[0]:
        return found
    return Potentials(better.phi.to(found.phi), better.gamma.to(found.phi), violation, better.iterations)
