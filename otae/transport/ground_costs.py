"""The costs of all pairs under a ground cost of any kind, known by blocks of points, or to KeOps by its formula."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..interfaces import Ground
from ..reductions import Backend, Dots, Values, kernel_product, log_sum_exp
from .costs import PairCosts
from .coupling import Coupling
from .kernels import Kernel, Summed, Weigh, exponential
from .limits import NEVER, Limits

_BLOCK = 2**20  # entries of the matrix whose slopes are computed at a time


class GroundCosts(PairCosts):
    """Holds the costs of a ground cost between all pairs.

    Args:
        ground: The ground cost.
        x: The source points, with shape (N, D).
        y: The target points, with shape (M, D); the source itself where `None`.
        backend: The backend of sums over pairs too many to be held.
        limits: The sizes up to which matrices are held.
        turned: Whether the ground cost is of a target point and a source point, in this order.
    """

    def __init__(
        self, ground: Ground, x: Tensor, y: Tensor | None, backend: Backend, limits: Limits, turned: bool = False
    ) -> None:
        self.ground, self.alone, self.turned = ground, y is None, turned
        self.x, self.y = x, x if y is None else y
        super().__init__((len(x), len(self.y)), x, backend, limits)

    def _compute(self) -> Tensor:
        if self.alone:
            return self.ground.within(self.x)
        return self.ground(self.y, self.x).T if self.turned else self.ground(self.x, self.y)

    @property
    def symmetric(self) -> bool:
        return self.alone and self.ground.symmetric

    @property
    def span(self) -> float:
        blocks = (
            [self._block(rows).aminmax() for rows in self._rows()] if self._matrix is None else [self.matrix.aminmax()]
        )
        lows, highs = zip(*blocks, strict=True)
        return float(torch.stack(highs).max() - torch.stack(lows).min().clamp_max(0))

    @property
    def T(self) -> GroundCosts:
        return self if self.symmetric else self._turn()

    def _turn(self) -> GroundCosts:
        other = self._turned()
        other.x, other.y, other.turned = self.y, self.x, not self.turned
        return other

    def sparser(self) -> GroundCosts:
        x = self.x[:: self.limits.stride].contiguous()
        y = None if self.alone else self.y[:: self.limits.stride].contiguous()
        return self._same(x, y, self.limits)

    def thin_columns(self) -> GroundCosts:
        return self.between(self.x, self.y[:: self.limits.stride])

    def between(self, x: Tensor, y: Tensor) -> GroundCosts:
        """Returns the costs between other points, never held.

        Args:
            x: The source points, with shape (N, D).
            y: The target points, with shape (M, D).
        """
        return self._same(x, y.contiguous(), NEVER)

    def mean(self, u: Tensor, v: Tensor) -> float:
        if self._matrix is not None:
            return super().mean(u, v)
        return float(u @ kernel_product(lambda costs: costs, self._values, v[:, None], self.backend)[:, 0])

    def pull(self, coupling: Coupling, axis: int) -> Tensor:
        r"""Returns the derivatives of the value by the points of one side over their masses, with their shape.

        $$\sum_j b_j E_{ij} \nabla_x c(x_i, y_j) \Big/ \sum_j b_j E_{ij}$$

        times the mass that is left where mass has a price. Of a cloud with itself, only the first of both points moves.

        Args:
            coupling: The coupling of the problem of these costs.
            axis: The side: 0 for the source, 1 for the target.
        """
        costs = self if axis == 0 else self._turn()
        phi, gamma = coupling.potential(axis), coupling.potential(1 - axis)
        masses = (coupling.problem.b, coupling.problem.a)[axis]
        slopes = []
        for rows in costs._rows():
            leaf = costs.x[rows].detach().requires_grad_()
            with torch.enable_grad():
                block = costs._block(rows, leaf)
            plan = exponential(phi[rows, None] + gamma - block.detach() / coupling.temperature) * masses
            plan = plan / plan.sum(1, keepdim=True)
            if coupling.softness:
                plan *= (-coupling.softness * phi[rows, None]).exp()
            (slope,) = torch.autograd.grad(block, leaf, plan)
            slopes.append(slope)
        return torch.cat(slopes)

    @property
    def _values(self) -> Values:
        return Values(self.ground, self.x, self.y, self.ground.formula, self.turned)

    def _same(self, x: Tensor, y: Tensor | None, limits: Limits) -> GroundCosts:
        return GroundCosts(self.ground, x, y, self.backend, limits, self.turned)

    def _rows(self) -> Iterator[slice]:
        size = max(1, _BLOCK // len(self.y))
        return (slice(start, start + size) for start in range(0, len(self.x), size))

    def _block(self, rows: slice, points: Tensor | None = None) -> Tensor:
        x = self.x[rows] if points is None else points
        return self.ground(self.y, x).T if self.turned else self.ground(x, self.y)

    def _sums(self, phi: Tensor, gamma: Tensor, temperature: float, weigh: Weigh | None) -> Kernel:
        one = torch.ones_like
        potentials = Dots(torch.stack([phi, one(phi)], 1), torch.stack([one(gamma), gamma], 1))

        def kernel(heights: Any, costs: Any) -> Any:
            values = exponential(heights - costs / temperature)
            return values if weigh is None else values * weigh(costs)

        return Summed(kernel, [potentials, self._values], self.backend)

    def _soft_minimum(self, heights: Tensor, temperature: float) -> Tensor:
        flat = Dots(torch.ones_like(self.x[:, :1]), heights[:, None])
        return -log_sum_exp(lambda h, cost: h - cost / temperature, [flat, self._values], self.backend)
