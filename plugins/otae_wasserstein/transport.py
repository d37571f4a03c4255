"""The transport that potentials make: its dual value, its derivatives, its cost and its plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from .annealing import Schedule
from .balance import Potentials
from .entropic import Points, Problem
from .gibbs import Gibbs, Weigh


@dataclass(frozen=True, eq=False)
class Transport:
    r"""Creates the transport $P_{ij} = a_i b_j \exp(\phi_i + \gamma_j - c_{ij} / \varepsilon)$ of an entropic problem.

    Its two sides are those of the axes of the plan: 0 is the source, 1 the target.

    Args:
        problem: The problem, between N source points and M target points.
        potentials: Its potentials, for which the columns of the plan are exact.
        schedule: The temperatures, of which the last is that of the plan.
    """

    problem: Problem
    potentials: Potentials
    schedule: Schedule

    @property
    def softness(self) -> float:
        """Returns the temperature over the price of mass, 0 where the marginals are held."""
        return self.schedule.softness(self.schedule.last)

    @property
    def sides(self) -> tuple[Points, Points]:
        """Returns the source and the target."""
        return self.problem.source, self.problem.target

    @cached_property
    def density(self) -> Gibbs:
        """Returns the density of the plan by the product of the masses, with shape (N, M)."""
        return self._weighed(None)

    @cached_property
    def slopes(self) -> Gibbs:
        """Returns the density times the slope of the cost by the distance, over the distance and its power."""
        if self.problem.power == 2:
            return self.density
        least = torch.finfo(self.potentials.phi.dtype).tiny
        return self._weighed(lambda cost: cost / (cost * cost + least))

    def dual(self) -> Tensor:
        r"""Returns the value of the dual problem, a scalar; the second form where mass has a price ρ.

        $$\langle a, f\rangle + \langle b, g\rangle
        \quad\text{or}\quad
        \rho \langle a, 1 - e^{-f/\rho}\rangle + (\rho + \varepsilon) \langle b, 1 - e^{-g/\rho}\rangle$$
        """
        (a, b), softness = (side.masses for side in self.sides), self.softness
        phi, gamma = self.potentials.phi, self.potentials.gamma
        if not softness:
            return self.schedule.last * (torch.dot(a, phi) + torch.dot(b, gamma))
        kept = torch.dot(a, torch.expm1(-softness * phi)) + (1 + softness) * torch.dot(
            b, torch.expm1(-softness * gamma)
        )
        return -self.schedule.last / softness * kept

    def potential(self, axis: int) -> Tensor:
        """Returns the potential of one side in units of the temperature, with shape (N,) or (M,).

        Args:
            axis: The side.
        """
        return (self.potentials.phi, self.potentials.gamma)[axis]

    def potential_at(self, points: Tensor, axis: int) -> Tensor:
        """Returns the potential of one side at any points in units of the temperature, with shape (B,).

        Args:
            points: The points, with shape (B, D).
            axis: The side.
        """
        problem = (self.problem, self.problem.T)[axis]
        return problem.extrapolated(points, self.potential(1 - axis), self.schedule.last) / (1 + self.softness)

    def by_mass(self, potential: Tensor) -> Tensor:
        """Returns the derivatives of the value by the masses of points, up to a constant, with shape (B,).

        Args:
            potential: The potential at the points in units of the temperature, with shape (B,).
        """
        if not (softness := self.softness):
            return self.schedule.last * potential
        return -self.schedule.last * (1 + 1 / softness) * torch.expm1(-softness * potential)

    def by_point(self, axis: int) -> Tensor:
        """Returns the derivatives of the value by the points of one side over their masses, with their shape.

        Args:
            axis: The side.
        """
        side, other = self.sides[axis], self.sides[1 - axis]
        means, weights = self._means((self.slopes.rows, self.slopes.columns)[axis], other)
        total = weights
        if self.problem.power == 1:
            total = (self.density.rows, self.density.columns)[axis](other.masses)
        factor = self.problem.power / total
        if self.softness:
            factor *= (-self.softness * self.potential(axis)).exp()
        return means.mul_(-factor[:, None]).addcmul_((factor * weights)[:, None], side.points)

    def moved(self) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the cost of the plan, a scalar, and its marginals, with shapes (N,) and (M,)."""
        a, b = (side.masses for side in self.sides)
        cost = torch.dot(a, self._weighed(lambda cost: cost).rows(b))
        return cost, a * self.density.rows(b), b * self.density.columns(a)

    def _means(self, sums: Callable[[Tensor], Tensor], side: Points) -> tuple[Tensor, Tensor]:
        points, masses = side.points, side.masses[:, None]
        if self.problem.held:  # the kernel is there: products are cheap, copies of the points are not
            return sums(masses * points), sums(side.masses)
        found = sums(masses * torch.cat([points, torch.ones_like(masses)], 1))  # (N, D+1)
        return found[:, :-1], found[:, -1]

    def _weighed(self, weigh: Weigh | None) -> Gibbs:
        phi = self.potentials.phi
        gamma = phi if self.problem.alone else self.potentials.gamma  # half the work; sums are normalised after all
        return self.problem.kernel(phi, gamma, self.schedule.last, weigh)
