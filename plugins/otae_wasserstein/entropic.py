"""An entropic transport problem between two clouds: its cost, its kernels, and the extrapolation of its potentials."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from otae.reductions import Backend, Dots, Squares, log_sum_exp, safe_sqrt, squared_distances

from .gibbs import Gibbs, Held, Summed, Tiled, Weigh, exponential, factors

_HELD = 2**22  # pairs up to which the kernel is held as a matrix: 16 MB in single precision
_DEVICE_HELD = 2**26  # the same on other devices
_KEOPS_HELD = 2**10  # the same where KeOps is asked for


def _itself(values: Any) -> Any:
    return values


_COSTS: dict[int, Callable[[Any], Any]] = {1: safe_sqrt, 2: _itself}  # of a squared distance, by power


@dataclass(frozen=True, eq=False)
class Points:
    """Creates points with positive masses, cut from the graph.

    Args:
        points: The points, with shape (N, D).
        masses: Their masses, with shape (N,), positive and of sum 1.
    """

    points: Tensor
    masses: Tensor

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def log_masses(self) -> Tensor:
        """Returns the logarithms of the masses, with shape (N,)."""
        return self.masses.log()

    def sparser(self, stride: int) -> Points:
        """Returns one point of every few, with masses of sum 1.

        Args:
            stride: The number of points to take one of.
        """
        masses = self.masses[::stride]
        return Points(self.points[::stride].contiguous(), masses / masses.sum())


class Problem:
    r"""Creates the entropic transport problem between two clouds, or of a cloud with itself.

    Args:
        source: The source, with N points.
        target: The target, with M points; the source itself for the problem of a cloud with itself.
        power: The exponent p of the ground cost $\|x - y\|^p$, 1 or 2.
        backend: The backend of sums over pairs too many to be held.
    """

    def __init__(self, source: Points, target: Points, power: int, backend: Backend) -> None:
        self.source, self.target, self.power, self.backend = source, target, power, backend
        self.alone = source is target
        self.cost: Tensor | None = None
        if self.held:
            squares = squared_distances(source.points, None if self.alone else target.points)
            self.cost = _COSTS[power](squares)

    @property
    def held(self) -> bool:
        """Returns whether the kernel is held as a matrix."""
        most = _HELD if self.source.points.device.type == "cpu" else _DEVICE_HELD
        most = _KEOPS_HELD if self.backend == "keops" else most
        return len(self.source) * len(self.target) <= most

    @property
    def T(self) -> Problem:
        """Returns the problem with the clouds exchanged."""
        other = copy(self)
        other.source, other.target = self.target, self.source
        other.cost = None if self.cost is None else self.cost.T
        return other

    @property
    def diameter(self) -> float:
        """Returns a bound on the distances between the points."""
        both = (self.source.points, self.target.points)
        radii = torch.stack([torch.linalg.vector_norm(points, dim=1).max() for points in both])
        return radii.sum().item()

    def sparser(self, stride: int) -> Problem:
        """Returns the problem of one point of every few.

        Args:
            stride: The number of points to take one of.
        """
        source = self.source.sparser(stride)
        return Problem(source, source if self.alone else self.target.sparser(stride), self.power, self.backend)

    def kernel(self, phi: Tensor, gamma: Tensor, temperature: float, weigh: Weigh | None = None) -> Gibbs:
        """Returns the Gibbs kernel, with shape (N, M).

        Args:
            phi: The potential of the source in units of the temperature, with shape (N,).
            gamma: That of the target, with shape (M,).
            temperature: The temperature ε.
            weigh: What to multiply the kernel by, as a function of the cost; nothing where `None`.
        """
        if self.cost is not None:
            return Held(self.cost, phi, gamma, temperature, weigh)
        given = (self.source.points, self.target.points, phi, gamma, temperature)
        tiled = self.backend == "dense" or (self.backend == "auto" and phi.device.type == "cpu")
        if self.power == 1 or weigh is not None:
            return self._summed(*given, weigh)
        if tiled:
            return Tiled(*given, alone=self.alone and phi is gamma)
        return Summed(exponential, [Dots(*factors(*given))], self.backend)

    def _summed(
        self, x: Tensor, y: Tensor, phi: Tensor, gamma: Tensor, temperature: float, weigh: Weigh | None
    ) -> Gibbs:
        one, cost = torch.ones_like, _COSTS[self.power]
        potentials = Dots(torch.stack([phi, one(phi)], 1), torch.stack([one(gamma), gamma], 1))

        def kernel(sums: Any, squares: Any) -> Any:
            costs = cost(squares)
            values = exponential(sums - costs / temperature)
            return values if weigh is None else values * weigh(costs)

        return Summed(kernel, [potentials, Squares(x, y)], self.backend)

    def extrapolated(self, points: Tensor, gamma: Tensor, temperature: float) -> Tensor:
        r"""Returns the potential that the target's one has at points, in units of the temperature, with shape (B,).

        $$\phi(x) = -\log \sum_j b_j \exp(\gamma_j - c(x, y_j) / \varepsilon)$$

        Args:
            points: The points, with shape (B, D).
            gamma: The potential of the target, in units of the temperature, with shape (M,).
            temperature: The temperature ε.
        """
        heights, y = gamma + self.target.log_masses, self.target.points
        if self.power == 2:
            left, right = factors(points, y, torch.zeros_like(points[:, 0]), heights, temperature)
            return -log_sum_exp(_itself, Dots(left, right), self.backend)
        flat = Dots(torch.ones_like(points[:, :1]), heights[:, None])
        cost = _COSTS[self.power]
        return -log_sum_exp(lambda h, s: h - cost(s) / temperature, [flat, Squares(points, y)], self.backend)
