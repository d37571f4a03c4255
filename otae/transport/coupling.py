"""The coupling that potentials make: its dual value, its cost, its errors, its derivatives by the masses, and its plan."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ..interfaces import Plan
from .kernels import Kernel, Weigh
from .measure import Measure
from .potentials import Potentials
from .problem import Problem


@dataclass(frozen=True)
class Certificate:
    """Holds how far a coupling may be from the best one.

    Args:
        marginal_error: The total mass by which its marginals differ from the masses.
        gap: A bound on how far its dual value is below the optimum, in units of the cost.
    """

    marginal_error: float
    gap: float


@dataclass(frozen=True, eq=False)
class Coupling:
    r"""Holds the coupling $P_{ij} = a_i b_j \exp(\phi_i + \gamma_j - c_{ij} / \varepsilon)$ of an entropic problem.

    Its two sides are those of the axes of the plan: 0 is the source, 1 the target.

    Args:
        problem: The problem, between N source points and M target points.
        potentials: Its potentials, for which the columns of the plan are exact.
        temperature: The temperature ε.
        softness: The temperature over the price of mass, 0 where the marginals are held.
    """

    problem: Problem
    potentials: Potentials
    temperature: float
    softness: float = 0.0

    @cached_property
    def density(self) -> Kernel:
        """Returns the density of the plan by the product of the masses, with shape (N, M)."""
        return self.weigh(None)

    def weigh(self, weigh: Weigh | None) -> Kernel:
        """Returns the density times a function of the cost, with shape (N, M).

        Args:
            weigh: The function; 1 where `None`.
        """
        return self.problem.kernel(self.potentials.phi, self.potentials.gamma, self.temperature, weigh)

    def dual(self) -> Tensor:
        r"""Returns the value of the dual problem, a scalar; the second form where mass has a price ρ.

        $$\langle a, f\rangle + \langle b, g\rangle
        \quad\text{or}\quad
        \rho \langle a, 1 - e^{-f/\rho}\rangle + (\rho + \varepsilon) \langle b, 1 - e^{-g/\rho}\rangle$$
        """
        a, b, softness = self.problem.a, self.problem.b, self.softness
        phi, gamma = self.potentials.phi, self.potentials.gamma
        if not softness:
            return self.temperature * (torch.dot(a, phi) + torch.dot(b, gamma))
        kept = torch.dot(a, torch.expm1(-softness * phi))
        kept = kept + (1 + softness) * torch.dot(b, torch.expm1(-softness * gamma))
        return -self.temperature / softness * kept

    def potential(self, axis: int) -> Tensor:
        """Returns the potential of one side in units of the temperature, with shape (N,) or (M,).

        Args:
            axis: The side.
        """
        return (self.potentials.phi, self.potentials.gamma)[axis]

    def by_mass(self, potential: Tensor) -> Tensor:
        """Returns the derivatives of the value by the masses of points, up to a constant, with shape (B,).

        Args:
            potential: The potential at the points in units of the temperature, with shape (B,).
        """
        if not (softness := self.softness):
            return self.temperature * potential
        return -self.temperature * (1 + 1 / softness) * torch.expm1(-softness * potential)

    def carry(self) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the cost of the plan, a scalar, and its marginals, with shapes (N,) and (M,)."""
        a, b = self.problem.a, self.problem.b
        cost = torch.dot(a, self.weigh(lambda cost: cost).rows(b))
        return cost, a * self.density.rows(b), b * self.density.columns(a)

    @cached_property
    def certificate(self) -> Certificate:
        r"""Returns how far the coupling may be from the best one.

        Where the marginals are held, its rows are scaled down to what they should be, and the mass δ that is then missing on
        either side, u and v, is moved independently. By convexity, the cost of that plan, which has the marginals, is above
        the dual value by no more than

        $$\delta \left\langle u \otimes v, c - f - g\right\rangle + \varepsilon \left[\sum_i a_i s_i r_i \log s_i
        + \delta\, \mathrm{KL}(u | a) + \delta\, \mathrm{KL}(v | b) + h(\delta)\right]$$

        with the rows' relative sums r, their scaling $s = \min(1, 1/r)$ and the entropy h of a coin.
        """
        density, a, b = self.density, self.problem.a, self.problem.b
        rows = density.rows(b).double()
        a, b = a.double(), b.double()
        if self.softness:
            return self._certify_free(rows, a, b, density)
        error = float(torch.dot(a, (rows - 1).abs()))
        scale = (1 / rows).clamp_max(1)
        columns = density.columns((a * scale).to(self.problem.a)).double()
        missing_a, missing_b = a * (1 - scale * rows).clamp_min(0), b * (1 - columns).clamp_min(0)
        delta = float(missing_a.sum())
        entropy = float(torch.dot(a * scale * rows, scale.log()))
        if delta <= 0 or not math.isfinite(delta):
            return Certificate(error, 0.0 if delta <= 0 else math.inf)
        u, v = missing_a / delta, missing_b / missing_b.sum().clamp_min(torch.finfo(b.dtype).tiny)
        f, g = (self.temperature * each.double() for each in (self.potentials.phi, self.potentials.gamma))
        moved = self.problem.costs.mean(u.to(self.problem.a), v.to(self.problem.b)) - float(u @ f) - float(v @ g)
        divergences = float(torch.xlogy(u, u / a).sum() + torch.xlogy(v, v / b).sum())
        coin = -delta * math.log(delta) - ((1 - delta) * math.log1p(-delta) if delta < 1 else 0.0)
        gap = delta * moved + self.temperature * (entropy + delta * divergences + coin)
        return Certificate(error, max(gap, 0.0))

    def plan(self, source: Measure, target: Measure) -> Plan:
        """Returns the plan between all points of two measures, those without mass included.

        Args:
            source: The source, whose points with mass are those of the problem.
            target: The target.
        """
        (a, b), density = (side.masses[:, None] for side in (source, target)), self.density
        return Plan(
            (len(a), len(b)),
            lambda values: a * source.scatter(density.rows(target.gather(b * values))),
            lambda values: b * target.scatter(density.columns(source.gather(a * values))),
            lambda: a * source.scatter(target.scatter(density.dense().T).T) * b.T,
            self.problem.a,
        )

    def _certify_free(self, rows: Tensor, a: Tensor, b: Tensor, density: Kernel) -> Certificate:
        """Returns the same where mass has a price: any plan will do, and its cost less the dual value is the gap."""
        columns = density.columns(self.problem.a).double()
        price = self.temperature / self.softness
        f, g = (self.temperature * each.double() for each in (self.potentials.phi, self.potentials.gamma))
        of_rows, of_columns = a * rows, b * columns
        mass = float(of_rows.sum())
        transported = float(torch.dot(of_rows, f) + torch.dot(of_columns, g)) + self.temperature * (1 - mass)
        lost = [
            float(torch.xlogy(masses, masses / given).sum()) - float(masses.sum()) + 1
            for masses, given in ((of_rows, a), (of_columns, b))
        ]
        wished = (-self.softness * self.potentials.phi.double()).exp()
        error = float(torch.dot(a, (rows - wished).abs()))
        return Certificate(error, max(transported + price * sum(lost) - float(self.dual()), 0.0))
