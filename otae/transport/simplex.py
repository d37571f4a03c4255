"""Transport without entropy, by the network simplex of POT: the plan by its entries, and the potentials that prove it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import CloudError
from ..interfaces import Plan
from ..reductions import load_library

Array = NDArray[np.float64]
PIVOTS = 10_000_000


@dataclass(frozen=True, eq=False)
class Flow:
    """Holds a plan by its entries, with the potentials that prove it best.

    Args:
        shape: The numbers (N, M) of points.
        rows: The source point of each entry, with shape (K,).
        columns: The target point of each entry, with shape (K,).
        masses: The mass of each entry, with shape (K,).
        potentials: The dual potentials, with shapes (N,) and (M,).
        gap: How far the plan's cost is above what the potentials prove to be least.
        converged: Whether the simplex found it best.
    """

    shape: tuple[int, int]
    rows: Tensor
    columns: Tensor
    masses: Tensor
    potentials: tuple[Tensor, Tensor]
    gap: float
    converged: bool

    def to(self, dtype: torch.dtype) -> Flow:
        """Returns the same plan in a floating-point type.

        Args:
            dtype: The type.
        """
        f, g = self.potentials
        return replace(self, masses=self.masses.to(dtype), potentials=(f.to(dtype), g.to(dtype)))

    def plan(self) -> Plan:
        """Returns the plan as an operator."""

        def product(values: Tensor, to: Tensor, of: Tensor, count: int) -> Tensor:
            return values.new_zeros(count, values.shape[1]).index_add(0, to, self.masses[:, None] * values[of])

        return Plan(
            self.shape,
            lambda values: product(values, self.rows, self.columns, self.shape[0]),
            lambda values: product(values, self.columns, self.rows, self.shape[1]),
            lambda: self.masses.new_zeros(self.shape).index_put((self.rows, self.columns), self.masses),
            self.masses,
        )


def solve_simplex(cost: Tensor, a: Tensor, b: Tensor, pivots: int = PIVOTS) -> Flow:
    """Returns the plan of least cost between masses, solved in double precision on the processor.

    Points without mass take no part, but have the potentials that mass there would have: whatever they cost.

    Args:
        cost: The costs of all pairs, with shape (N, M).
        a: The masses of the source, with shape (N,), of sum 1.
        b: The masses of the target, with shape (M,).
        pivots: The number of pivots after which the simplex gives up.

    Raises:
        CloudError: If costs between points with mass are not finite.
    """
    ground, of_a, of_b = (np.ascontiguousarray(each.detach().cpu().double().numpy()) for each in (cost, a, b))
    some = np.ix_(of_a > 0, of_b > 0)
    inner = np.ascontiguousarray(ground[some])
    least, most = float(inner.min()), float(inner.max())
    if not (math.isfinite(least) and math.isfinite(most)):
        raise CloudError("The clouds have points that are not finite, or so far apart that their costs overflow.")
    unit = most - least or 1.0  # the simplex has absolute tolerances, and takes costs below 0 for infeasible
    masses = of_a[of_a > 0] / of_a.sum(), of_b[of_b > 0] / of_b.sum()
    plan, log = load_library("ot").lp.emd(*masses, (inner - least) / unit, numItermax=pivots, log=True)
    f, g = _complete(ground, of_a > 0, of_b > 0, unit * log["u"] + least, unit * log["v"])
    half = (of_a @ np.where(of_a > 0, f, 0) / of_a.sum() - of_b @ np.where(of_b > 0, g, 0) / of_b.sum()) / 2
    f, g = f - half, g + half
    where = plan.nonzero()
    entries = plan[where]
    gap = float(entries @ inner[where] - masses[0] @ f[of_a > 0] - masses[1] @ g[of_b > 0])
    violated = max(0.0, float(-(inner - f[of_a > 0][:, None] - g[of_b > 0]).min()))
    rows, columns = np.flatnonzero(of_a > 0)[where[0]], np.flatnonzero(of_b > 0)[where[1]]
    masses_of, of_x, of_y = (torch.from_numpy(each).to(cost) for each in (entries, f, g))
    return Flow(
        shape=(len(of_a), len(of_b)),
        rows=torch.from_numpy(rows).to(cost.device),
        columns=torch.from_numpy(columns).to(cost.device),
        masses=masses_of,
        potentials=(of_x, of_y),
        gap=max(gap, 0.0) + violated,
        converged=log["warning"] is None,
    )


def _complete(
    cost: Array, some_a: NDArray[np.bool_], some_b: NDArray[np.bool_], f: Array, g: Array
) -> tuple[Array, ...]:
    """Returns potentials of all points: those without mass have the least that any plan could pay."""
    if some_a.all() and some_b.all():
        return f, g
    of_x = (cost[:, some_b] - g).min(1)
    of_y = (cost[some_a] - f[:, None]).min(0)
    of_x[some_a], of_y[some_b] = f, g
    return of_x, of_y
