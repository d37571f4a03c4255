"""The costs of all pairs of a transport problem: of distances, or of inner products."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import Any, Self

import torch
from torch import Tensor

from ..reductions import Backend, Dots, Squares, log_sum_exp, safe_power, squared_distances
from .kernels import Held, Kernel, Summed, Tiled, Weigh, exponential
from .limits import NEVER, Limits


class PairCosts(ABC):
    """Abstract base of the costs c_ij between N source points and M target points.

    Args:
        shape: The numbers (N, M).
        like: A tensor with the type and the device of the costs.
        backend: The backend of sums over pairs too many to be held.
        limits: The sizes up to which matrices are held.
    """

    def __init__(self, shape: tuple[int, int], like: Tensor, backend: Backend, limits: Limits) -> None:
        self.shape, self.like, self.backend, self.limits = shape, like, backend, limits
        self.held = limits.holds(shape[0] * shape[1], like.device, backend)
        self._matrix: Tensor | None = self._compute() if self.held else None

    @abstractmethod
    def _compute(self) -> Tensor:
        """Returns the costs as a matrix, with shape (N, M)."""

    @abstractmethod
    def _sums(self, phi: Tensor, gamma: Tensor, temperature: float, weigh: Weigh | None) -> Kernel:
        """Returns a kernel that is not held."""

    @abstractmethod
    def _soft_minimum(self, heights: Tensor, temperature: float) -> Tensor:
        """Returns soft minima without a matrix."""

    def _turned(self) -> Self:
        other = copy(self)
        other.shape = (self.shape[1], self.shape[0])
        other._matrix = None if self._matrix is None else self._matrix.T
        return other

    @property
    @abstractmethod
    def T(self) -> PairCosts:
        """Returns the costs with the sides exchanged."""

    @abstractmethod
    def sparser(self) -> PairCosts:
        """Returns the costs between one point of every few of either side."""

    @abstractmethod
    def thin_columns(self) -> PairCosts:
        """Returns the costs between all source points and the target points of the sparser problem."""

    @property
    def span(self) -> float:
        """Returns a bound on how far the costs are from each other."""
        low, high = torch.stack(self.matrix.aminmax()).tolist()
        return float(high - min(low, 0.0))

    @property
    def symmetric(self) -> bool:
        """Returns whether the costs are those of one cloud with itself."""
        return False

    @property
    def matrix(self) -> Tensor:
        """Returns the costs as a matrix, with shape (N, M): O(NM) memory."""
        return self._compute() if self._matrix is None else self._matrix

    def mean(self, u: Tensor, v: Tensor) -> float:
        """Returns the mean cost of independent points.

        Args:
            u: The masses of the source points, with shape (N,).
            v: Those of the target points, with shape (M,).
        """
        return float(u @ (self.matrix @ v))

    def kernel(self, phi: Tensor, gamma: Tensor, temperature: float, weigh: Weigh | None = None) -> Kernel:
        """Returns the kernel of the costs, with shape (N, M).

        Args:
            phi: The potential of the source in units of the temperature, with shape (N,).
            gamma: That of the target, with shape (M,).
            temperature: The temperature ε.
            weigh: What to multiply the kernel by, as a function of the cost; nothing where `None`.
        """
        if self._matrix is not None:
            return Held(self._matrix, phi, gamma, temperature, weigh)
        return self._sums(phi, gamma, temperature, weigh)

    def soft_minimum(self, heights: Tensor, temperature: float) -> Tensor:
        r"""Returns $-\log \sum_j \exp(h_j - c_{ij} / \varepsilon)$, with shape (N,).

        Args:
            heights: The heights h, with shape (M,).
            temperature: The temperature ε.
        """
        if self._matrix is None:
            return self._soft_minimum(heights, temperature)
        exponents = torch.sub(heights, self._matrix, alpha=1 / temperature)
        top = exponents.amax(1, keepdim=True)
        return exponents.sub_(top).clamp_min_(-60.0).exp_().sum(1).log_().add_(top[:, 0]).neg_()


class Distances(PairCosts):
    r"""Holds the costs $\|x_i - y_j\|^p$.

    Args:
        x: The source points, with shape (N, D).
        y: The target points, with shape (M, D); the source itself where `None`.
        power: The exponent p.
        backend: The backend of sums over pairs too many to be held.
        limits: The sizes up to which matrices are held.
    """

    def __init__(self, x: Tensor, y: Tensor | None, power: float, backend: Backend, limits: Limits) -> None:
        self.alone = y is None
        self.x, self.y, self.power = x, x if y is None else y, power
        super().__init__((len(x), len(self.y)), x, backend, limits)

    def _compute(self) -> Tensor:
        costs: Tensor = self.of(squared_distances(self.x, None if self.alone else self.y))
        return costs

    def of(self, squares: Any) -> Any:
        """Returns the costs of squared distances.

        Args:
            squares: The squared distances; a tensor, or a LazyTensor.
        """
        return squares if self.power == 2 else safe_power(squares, self.power / 2)

    @property
    def symmetric(self) -> bool:
        return self.alone

    @property
    def span(self) -> float:
        radii = [torch.linalg.vector_norm(points, dim=1).max() for points in (self.x, self.y)]
        return float(torch.stack(radii).sum().item() ** self.power)

    @property
    def T(self) -> Distances:
        if self.alone:
            return self
        other = self._turned()
        other.x, other.y = self.y, self.x
        return other

    def sparser(self) -> Distances:
        x = self.x[:: self.limits.stride].contiguous()
        y = None if self.alone else self.y[:: self.limits.stride].contiguous()
        return Distances(x, y, self.power, self.backend, self.limits)

    def thin_columns(self) -> Distances:
        return self.between(self.x, self.y[:: self.limits.stride])

    def between(self, x: Tensor, y: Tensor) -> Distances:
        """Returns the costs between other points, never held.

        Args:
            x: The source points, with shape (N, D).
            y: The target points, with shape (M, D).
        """
        return Distances(x, y.contiguous(), self.power, self.backend, NEVER)

    def mean(self, u: Tensor, v: Tensor) -> float:
        if self.power != 2:
            return float(u @ self.kernel(0 * u, 0 * v, 1e300, lambda cost: cost).rows(v))
        x, y, u, v = (each.double() for each in (self.x, self.y, u, v))
        inner = torch.dot(u @ x, v @ y)
        return float(torch.dot(u, x.square().sum(1)) + torch.dot(v, y.square().sum(1)) - 2 * inner)

    def _sums(self, phi: Tensor, gamma: Tensor, temperature: float, weigh: Weigh | None) -> Kernel:
        tiled = self.backend == "dense" or (self.backend == "auto" and phi.device.type == "cpu")
        if self.power == 2 and weigh is None:
            left, right = self._factors(phi, gamma, temperature)
            if tiled:
                return Tiled(left, right, self.alone and phi is gamma)
            return Summed(exponential, [Dots(left, right)], self.backend)
        one = torch.ones_like
        potentials = Dots(torch.stack([phi, one(phi)], 1), torch.stack([one(gamma), gamma], 1))

        def kernel(sums: Any, squares: Any) -> Any:
            costs = self.of(squares)
            values = exponential(sums - costs / temperature)
            return values if weigh is None else values * weigh(costs)

        return Summed(kernel, [potentials, Squares(self.x, self.y)], self.backend)

    def _factors(self, phi: Tensor, gamma: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """Returns vectors whose inner products are the exponents, with shapes (N, D+2) and (M, D+2)."""
        above = (phi - self.x.square().sum(1) / temperature)[:, None]
        below = (gamma - self.y.square().sum(1) / temperature)[:, None]
        ones = torch.ones_like
        left = torch.cat([2 / temperature * self.x, above, ones(above)], 1)
        return left, torch.cat([self.y, ones(below), below], 1)

    def _soft_minimum(self, heights: Tensor, temperature: float) -> Tensor:
        if self.power == 2:
            pairs = Dots(*self._factors(torch.zeros_like(self.x[:, 0]), heights, temperature))
            return -log_sum_exp(_itself, pairs, self.backend)
        flat = Dots(torch.ones_like(self.x[:, :1]), heights[:, None])
        pairs_of = [flat, Squares(self.x, self.y)]
        return -log_sum_exp(lambda h, s: h - self.of(s) / temperature, pairs_of, self.backend)


class Products(PairCosts):
    r"""Holds the costs $-\langle p_i, q_j\rangle$.

    Args:
        p: The factors of the source, with shape (N, R).
        q: The factors of the target, with shape (M, R).
        backend: The backend of sums over pairs too many to be held.
        limits: The sizes up to which matrices are held.
    """

    def __init__(self, p: Tensor, q: Tensor, backend: Backend, limits: Limits) -> None:
        self.p, self.q = p, q
        super().__init__((len(p), len(q)), p, backend, limits)

    def _compute(self) -> Tensor:
        return torch.mm(-self.p, self.q.T)

    @property
    def T(self) -> Products:
        other = self._turned()
        other.p, other.q = self.q, self.p
        return other

    def sparser(self) -> Products:
        stride = self.limits.stride
        return Products(self.p[::stride], self.q[::stride], self.backend, self.limits)

    def thin_columns(self) -> Products:
        return Products(self.p, self.q[:: self.limits.stride], self.backend, NEVER)

    def mean(self, u: Tensor, v: Tensor) -> float:
        return -float(torch.dot(u @ self.p, v @ self.q))

    def _sums(self, phi: Tensor, gamma: Tensor, temperature: float, weigh: Weigh | None) -> Kernel:
        left, right = self._factors(phi, gamma, temperature)
        if self.backend == "keops" or (self.backend == "auto" and phi.device.type != "cpu"):
            return Summed(exponential, [Dots(left, right)], self.backend)
        return Tiled(left, right)

    def _factors(self, phi: Tensor, gamma: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        one, other = torch.ones_like(phi)[:, None], torch.ones_like(gamma)[:, None]
        return torch.cat([self.p / temperature, phi[:, None], one], 1), torch.cat([self.q, other, gamma[:, None]], 1)

    def _soft_minimum(self, heights: Tensor, temperature: float) -> Tensor:
        left, right = self._factors(torch.zeros_like(self.p[:, 0]), heights, temperature)
        return -log_sum_exp(_itself, Dots(left, right), "keops" if self.backend == "keops" else "auto")


def _itself(values: Any) -> Any:
    return values
