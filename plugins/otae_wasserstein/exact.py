"""The Wasserstein cost, exactly, by the network simplex of POT."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from otae.cloud import Cloud, CloudLike, as_cloud
from otae.errors import CloudError
from otae.interfaces import Cost, Plan, Solution
from otae.reductions import imported, safe_power, squared_distances

from .projections import centred, masses

Array = NDArray[np.float64]


class Exact(Cost):
    r"""Creates the Wasserstein cost, exactly: the least mean cost of moving one cloud to the other.

    $$\mathrm{W}_p^p(x, y) = \min_{P \ge 0} \sum_{ij} P_{ij} \|x_i - y_j\|^p,
    \quad P 1 = a, \quad P^\top 1 = b$$

    POT's network simplex finds the plan on the processor, in double precision, in O((N+M)² log(N+M)) time or more and
    O(NM) memory: fit for some thousands of points. By the envelope theorem, the gradient runs to the points along the
    plan, which has at most N + M - 1 entries, and to the weights by the dual potentials, which `solve` centres such that
    both sides hold half the value. Where several plans are best, it is one of several.

    Of mini-batches, the cost is larger than that of their laws, also where these agree; `Sinkhorn` is less so.

    Args:
        p: The exponent of the distance; the cost is its p-th power.
        max_iterations: The number of pivots after which the simplex gives up, with a warning.

    References:
        Displacement Interpolation Using Lagrangian Mass Transport (Bonneel, van de Panne, Paris, Heidrich, 2011)
        https://doi.org/10.1145/2070781.2024192

        POT: Python Optimal Transport (Flamary et al., 2021)
        https://jmlr.org/papers/v22/20-451.html

    Examples:
        >>> x = torch.randn(10, 2)
        >>> round(Exact()(x, x.flip(0) + 3.0).item(), 4)
        18.0
    """

    def __init__(
        self,
        p: Annotated[float, Field(ge=1)] = 2.0,
        max_iterations: Annotated[int, Field(gt=0)] = 1_000_000,
    ) -> None:
        super().__init__()
        self.p, self.max_iterations = p, max_iterations

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the cost, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If points are not finite.
        """
        return self.solve(source, target).objective

    def solve(self, source: CloudLike, target: CloudLike) -> Solution:
        """Returns the plan and its cost; the iterations are 0, since POT does not count them.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If the clouds do not fit each other, or points are not finite.
        """
        first, second = as_cloud(source), as_cloud(target)
        self._check(first, second)
        x, y = centred(first, second)
        a, b = masses(first, x), masses(second, y)
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            ground = self._costs(squared_distances(x, y))
        flow = _flow(ground, a.detach(), b.detach(), self.max_iterations)
        costs = self._costs((x[flow.rows] - y[flow.columns]).square().sum(1))  # (K,)
        f, g = flow.potentials
        objective = torch.dot(flow.masses, costs)
        if a.requires_grad or b.requires_grad:  # terms of value 0
            objective = objective + torch.dot(a - a.detach(), f) + torch.dot(b - b.detach(), g)
        return Solution(
            value=objective.detach(),
            objective=objective,
            plan=flow.plan((len(a), len(b))),
            potentials=flow.potentials,
            iterations=0,
            converged=flow.converged,
        )

    def _costs(self, squares: Tensor) -> Tensor:
        return squares if self.p == 2 else safe_power(squares, self.p / 2)

    def extra_repr(self) -> str:
        return f"p={self.p}"


@dataclass(frozen=True, eq=False)
class _Flow:
    """Creates a plan by its entries, with the potentials that prove it best.

    Args:
        rows: The source point of each entry, with shape (K,).
        columns: The target point of each entry, with shape (K,).
        masses: The mass of each entry, with shape (K,).
        potentials: The dual potentials, with shapes (N,) and (M,).
        converged: Whether it is best.
    """

    rows: Tensor
    columns: Tensor
    masses: Tensor
    potentials: tuple[Tensor, Tensor]
    converged: bool

    def plan(self, shape: tuple[int, int]) -> Plan:
        """Returns the plan as an operator.

        Args:
            shape: The numbers (N, M) of points.
        """

        def product(values: Tensor, to: Tensor, of: Tensor, count: int) -> Tensor:
            masses = self.masses.to(values)[:, None]
            return values.new_zeros(count, values.shape[1]).index_add(0, to, masses * values[of])

        return Plan(
            shape,
            lambda values: product(values, self.rows, self.columns, shape[0]),
            lambda values: product(values, self.columns, self.rows, shape[1]),
            lambda: self.masses.new_zeros(shape).index_put((self.rows, self.columns), self.masses),
        )


def _flow(cost: Tensor, a: Tensor, b: Tensor, most: int) -> _Flow:
    scale = cost.max().item()
    if not math.isfinite(scale):
        raise CloudError("The clouds have points that are not finite, or so far apart that their costs overflow.")
    scale = scale or 1.0  # the simplex has absolute tolerances
    ground, of_a, of_b = ((each / unit).cpu().double().numpy() for each, unit in ((cost, scale), (a, 1), (b, 1)))
    of_a, of_b = of_a / of_a.sum(), of_b / of_b.sum()
    plan, log = imported("ot").lp.emd(of_a, of_b, ground, numItermax=most, log=True)
    where = plan.nonzero()
    rows, columns = (torch.from_numpy(each).to(cost.device) for each in where)
    entries, f, g = (
        torch.from_numpy(each).to(cost)
        for each in (plan[where], *(scale * each for each in _potentials(ground, of_a, of_b, log["u"], log["v"])))
    )
    return _Flow(rows, columns, entries, (f, g), log["warning"] is None)


def _potentials(cost: Array, a: Array, b: Array, f: Array, g: Array) -> tuple[Array, Array]:
    """Returns potentials that are right at points without mass, too, and share the value."""
    if (a == 0).any() or (b == 0).any():
        f = (cost - np.where(b > 0, g, -np.inf)).min(1)
        g = (cost - np.where(a > 0, f, -np.inf)[:, None]).min(0)
    half = (np.dot(a, f) - np.dot(b, g)) / 2
    return f - half, g + half
