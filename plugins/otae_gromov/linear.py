"""Solvers of the linear transport problems in the alternation: entropic, cooling as it goes, and exact."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from otae.interfaces import Plan
from otae.reductions import Backend
from otae.transport import (
    Coupling,
    Limits,
    Measure,
    Potentials,
    Problem,
    Products,
    Until,
    balance,
    finish,
    solve_simplex,
)

_SWEEPS = 300  # products with the kernel that one linear problem may take: the next one starts where it stopped
_COOLING = 0.5  # the ratio of temperatures from one linear problem to the next
_SLOWER = 0.7  # the same where it is cold, and local optima part
_COLD = 1 / 30  # where it is cold, in units of the first temperature


@dataclass(frozen=True, eq=False)
class Transported:
    """Creates the solution of a linear transport problem.

    Args:
        plan: The plan.
        potentials: The dual potentials, with shapes (N,) and (M,), in units of the cost.
        violation: The share of the mass by which the marginals are missed.
        settled: Whether the problem was solved at its final temperature.
        sweeps: How many products with the kernel, or pivots, it took; 0 where unknown.
    """

    plan: Plan
    potentials: tuple[Tensor, Tensor]
    violation: float
    settled: bool
    sweeps: int


class Linear(ABC):
    """Creates a solver of linear transport problems between two fixed sets of masses, with warm starts.

    Args:
        a: The masses of the source, with shape (N,).
        b: The masses of the target, with shape (M,).
    """

    def __init__(self, a: Tensor, b: Tensor) -> None:
        self.a, self.b = a, b

    @abstractmethod
    def solve(self, p: Tensor, q: Tensor, tolerance: float) -> Transported:
        """Returns the solution for the cost of minus the inner products of factors.

        Args:
            p: The factors of the source, with shape (N, R).
            q: The factors of the target, with shape (M, R).
            tolerance: The share of the mass by which the marginals may be missed.
        """


class Entropic(Linear):
    r"""Creates a solver of $\min_P \langle P, C\rangle + \varepsilon\, \mathrm{KL}(P \,|\, a \otimes b)$.

    Args:
        a: The masses of the source, with shape (N,).
        b: The masses of the target, with shape (M,).
        epsilon: The final temperature ε, in units of the cost.
        start: The temperature of the first problem; each later one is cooler, until ε.
        backend: Which backend sums over kernels that are too large to be held.
        limits: The sizes up to which kernels are held.
        g: Where the potential of the target starts, with shape (M,), in units of the cost; 0 where `None`.
    """

    def __init__(
        self,
        a: Tensor,
        b: Tensor,
        epsilon: float,
        start: float,
        backend: Backend,
        limits: Limits,
        g: Tensor | None = None,
    ) -> None:
        super().__init__(a, b)
        self.epsilon, self.temperature, self.cold = epsilon, max(start, epsilon), _COLD * start
        self.backend, self.limits = backend, limits
        self.g = torch.zeros_like(b) if g is None else g

    def solve(self, p: Tensor, q: Tensor, tolerance: float) -> Transported:
        temperature = self.temperature
        source, target = Measure(p, self.a, weighted=True), Measure(q, self.b, weighted=True)
        x, y = source.positive, target.positive
        problem = Problem(Products(x.points, y.points, self.backend, self.limits), x.masses, y.masses)
        gamma = target.gather(self.g) / temperature
        start = Potentials(problem.extrapolate(gamma, temperature), gamma)
        found = balance(problem, start, temperature, 0.0, Until(tolerance, _SWEEPS))
        cold = temperature == self.epsilon
        if cold and found.violation > tolerance and self.limits.finishes(len(x) * len(y)):
            found = finish(problem, found, temperature, Until(tolerance, _SWEEPS))
        coupling = Coupling(problem, found, temperature)
        f, g = self._complete(coupling, source, 0), self._complete(coupling, target, 1)
        self.g = g
        self.temperature = max(self.epsilon, temperature * (_COOLING if temperature > self.cold else _SLOWER))
        plan = coupling.plan(source, target)
        return Transported(plan, (f, g), found.violation, cold, found.iterations)

    def _complete(self, coupling: Coupling, side: Measure, axis: int) -> Tensor:
        """Returns the potential of a side in units of the cost, of points without mass too."""
        temperature, potential = coupling.temperature, coupling.potential(axis)
        if side.lost is None:
            return temperature * potential
        problem = coupling.problem if axis == 0 else coupling.problem.T
        costs = problem.costs
        assert isinstance(costs, Products)  # as `solve` makes them
        lost = Products(side.points[side.lost], costs.q, self.backend, self.limits)
        others = lost.soft_minimum(coupling.potential(1 - axis) + problem.log_b, temperature)
        return temperature * side.scatter(potential, others)


class Exact(Linear):
    """Creates a solver of linear transport by the network simplex of POT, in double precision on the CPU."""

    def solve(self, p: Tensor, q: Tensor, tolerance: float) -> Transported:
        flow = solve_simplex(-(p.double() @ q.double().T), self.a, self.b)
        f, g = (each.to(p.dtype) for each in flow.potentials)
        plan = flow.to(p.dtype).plan()
        return Transported(plan, (f, g), 0.0, True, 0)
