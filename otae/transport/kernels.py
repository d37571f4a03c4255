"""The kernel of an entropic transport problem, behind one class: held as a matrix, in tiles, or summed by reductions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar, cast

import torch
from torch import Tensor

from otae.reductions import Backend, Pairs, kernel_product

Weigh: TypeAlias = Callable[[Any], Any]
Numbers = TypeVar("Numbers")  # a tensor, or a LazyTensor of KeOps

_BLOCK = 2**17  # entries of the matrix to compute at a time, so that they stay in the processor's cache
_TILE = 512  # points a side: a tile of 1 MB in single precision
_DEVICE_TILE = 8192  # the same on other devices, which want large ones
_LOWEST = -50.0  # below, products would underflow, which takes the processor up to thirty times as long
_HIGHEST = 60.0  # exponents above are cut off, until balancing has brought them down: sums must not overflow


class Kernel(ABC):
    r"""Abstract base of the kernels $E_{ij} = \exp(\phi_i + \gamma_j - c_{ij} / \varepsilon)$, known by their products."""

    @abstractmethod
    def rows(self, values: Tensor) -> Tensor:
        """Returns the kernel times values, with shape (N,) or (N, E).

        Args:
            values: Values on the target, with shape (M,) or (M, E).
        """

    @abstractmethod
    def columns(self, values: Tensor) -> Tensor:
        """Returns the transposed kernel times values, with shape (M,) or (M, E).

        Args:
            values: Values on the source, with shape (N,) or (N, E).
        """

    @abstractmethod
    def dense(self) -> Tensor:
        """Returns the kernel as a matrix, with shape (N, M)."""


class Held(Kernel):
    """Holds the kernel as a matrix: O(NM) memory, and each product at the memory's speed.

    Args:
        cost: The costs of all pairs, with shape (N, M).
        phi: The potential of the source in units of the temperature, with shape (N,).
        gamma: That of the target, with shape (M,).
        temperature: The temperature ε.
        weigh: What to multiply the kernel by, as a function of the cost; nothing where `None`.
    """

    def __init__(
        self, cost: Tensor, phi: Tensor, gamma: Tensor, temperature: float, weigh: Weigh | None = None
    ) -> None:
        self.matrix = torch.empty_like(cost)
        for i in _slices(len(phi), max(1, _BLOCK // len(gamma))):
            exponents = torch.add(phi[i, None], gamma, out=self.matrix[i]).sub_(cost[i], alpha=1 / temperature)
            exponential_(exponents)
        if weigh is not None:
            self.matrix *= weigh(cost)

    def rows(self, values: Tensor) -> Tensor:
        return self.matrix @ values

    def columns(self, values: Tensor) -> Tensor:
        return self.matrix.T @ values

    def dense(self) -> Tensor:
        return self.matrix


class Tiled(Kernel):
    """Computes the kernel of inner products in tiles that stay in the cache, anew for each sum.

    Args:
        left: Vectors of the source, with shape (N, R).
        right: Vectors of the target, with shape (M, R), whose inner products with those are the exponents.
        symmetric: Whether the exponents are symmetric: half the tiles then do.
    """

    def __init__(self, left: Tensor, right: Tensor, symmetric: bool = False) -> None:
        self.left, self.right, self.alone = left, right, symmetric

    def rows(self, values: Tensor) -> Tensor:
        sums = values.new_zeros(len(self.left), *values.shape[1:])
        for i, j, tile in self._tiles(self.alone):
            sums[i] += tile @ values[j]
            if self.alone and i != j:
                sums[j] += tile.T @ values[i]
        return sums

    def columns(self, values: Tensor) -> Tensor:
        sums = values.new_zeros(len(self.right), *values.shape[1:])
        for i, j, tile in self._tiles():
            sums[j] += tile.T @ values[i]
        return sums

    def dense(self) -> Tensor:
        return exponential_(self.left @ self.right.T)

    def _tiles(self, upper: bool = False) -> Iterator[tuple[slice, slice, Tensor]]:
        size = _TILE if self.left.device.type == "cpu" else _DEVICE_TILE
        buffer = self.left.new_empty(min(size, len(self.left)) * min(size, len(self.right)))
        for i in _slices(len(self.left), size):
            for j in _slices(len(self.right), size, i.start if upper else 0):
                x, y = self.left[i], self.right[j]
                tile = torch.mm(x, y.T, out=buffer[: len(x) * len(y)].view(len(x), len(y)))
                yield i, j, exponential_(tile)


class Summed(Kernel):
    """Knows the kernel as a function of pairs that `otae.reductions` sums over, by KeOps or in dense blocks.

    Args:
        kernel: The kernel as a function of one number per pairs.
        pairs: The pairs, all with shape (N, M).
        backend: The backend of the sums.
    """

    def __init__(self, kernel: Callable[..., Any], pairs: Sequence[Pairs], backend: Backend) -> None:
        self.kernel, self.pairs, self.backend = kernel, pairs, backend

    def rows(self, values: Tensor) -> Tensor:
        return self._sums(self.pairs, values)

    def columns(self, values: Tensor) -> Tensor:
        return self._sums([each.T for each in self.pairs], values)

    def dense(self) -> Tensor:
        matrix: Tensor = self.kernel(*(each.block(slice(None)) for each in self.pairs))
        return matrix

    def _sums(self, pairs: Sequence[Pairs], values: Tensor) -> Tensor:
        sums = kernel_product(self.kernel, pairs, values.reshape(len(values), -1), self.backend)
        return sums.reshape(-1, *values.shape[1:])


def exponential(exponents: Numbers) -> Numbers:
    """Returns the exponentials of numbers that are cut off on both sides; of a tensor or a LazyTensor.

    Args:
        exponents: The exponents.
    """
    numbers: Any = exponents
    return cast("Numbers", numbers.clamp(_LOWEST, _HIGHEST).exp())


def exponential_(exponents: Tensor) -> Tensor:
    """Returns the same in the memory of the exponents.

    Args:
        exponents: The exponents, which are written over.
    """
    return exponents.clamp_(_LOWEST, _HIGHEST).exp_()


def _slices(count: int, size: int, start: int = 0) -> Iterator[slice]:
    return (slice(first, min(first + size, count)) for first in range(start, count, size))
