"""The pairs of two clouds with one number for each, computed in blocks of rows or symbolically when they are summed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor

from ..errors import BackendError
from .numbers import in_transform, precise

NOISE = 8.0  # rounding of a squared distance, in units of epsilon times the squared norms: measured below 4
FEW = 4  # dimensions up to which differences, which are exact, cost no more than products


class Pairs(ABC):
    """Creates the matrix of one number per pair of points, which is never held whole.

    Args:
        x: The first points, with shape (N, D).
        y: The second points, with shape (M, D); the first themselves where `None`.
    """

    def __init__(self, x: Tensor, y: Tensor | None = None) -> None:
        self.x = precise(x)
        self.y = self.x if y is None else precise(y)

    @property
    def shape(self) -> tuple[int, int]:
        """Returns the numbers (N, M) of points."""
        return len(self.x), len(self.y)

    @abstractmethod
    def block(self, rows: slice) -> Tensor:
        """Returns the numbers of some rows, with shape (B, M).

        Args:
            rows: The rows.
        """

    @abstractmethod
    def symbolic(self, lazy: Any) -> Any:
        """Returns the numbers as a KeOps LazyTensor, with shape (N, M).

        Args:
            lazy: The class LazyTensor.
        """

    @property
    def T(self) -> Pairs:
        """Returns the pairs with the clouds exchanged."""
        return type(self)(self.y, self.x)


class Squares(Pairs):
    r"""Creates the squared Euclidean distances $\|x_i - y_j\|^2$ of all pairs, centred first so that nothing cancels.

    In more than four dimensions they come from one matrix product, and the worst that rounding can do there, a few units
    in the last place of the points' squared norms, is taken off each: points that coincide are at distance 0 exactly,
    with zero gradient.

    Args:
        x: The first points, with shape (N, D).
        y: The second points, with shape (M, D); the first themselves where `None`.
    """

    def __init__(self, x: Tensor, y: Tensor | None = None) -> None:
        super().__init__(x, y)
        self.alone = y is None
        centre = _mean(self.x) if self.alone else (_mean(self.x) + _mean(self.y)) / 2
        self.x = self.x - centre
        self.y = self.x if self.alone else self.y - centre

    @cached_property
    def x_norms(self) -> Tensor:
        """Returns the squared norms of the first points, with shape (N,), cut from the graph."""
        return self.x.detach().square().sum(1)

    @cached_property
    def y_norms(self) -> Tensor:
        """Returns the squared norms of the second points, with shape (M,), cut from the graph."""
        return self.x_norms if self.alone else self.y.detach().square().sum(1)

    def block(self, rows: slice, columns: slice = slice(None)) -> Tensor:
        """Returns the numbers of some rows and columns, with shape (B, C).

        Args:
            rows: The rows.
            columns: The columns.
        """
        if self.alone and range(len(self.x))[rows] == range(len(self.x))[columns] == range(len(self.x)):
            if self._is_constant:
                return _OwnSquaredDistances.forward(self.x)
            return cast("Tensor", _OwnSquaredDistances.apply(self.x))  # type: ignore[no-untyped-call]
        both = (self.x[rows], self.y[columns], self.x_norms[rows], self.y_norms[columns])
        if self._is_constant:
            return _squared_distances(*both)
        return cast("Tensor", _SquaredDistances.apply(*both))  # type: ignore[no-untyped-call]

    @property
    def _is_constant(self) -> bool:
        """Returns whether no gradient is asked for: torch takes as long to call a function of its own as small clouds take."""
        recorded = torch.is_grad_enabled() and (self.x.requires_grad or self.y.requires_grad)
        return not recorded and not in_transform()

    def symbolic(self, lazy: Any) -> Any:
        return ((lazy(self.x, axis=0) - lazy(self.y, axis=1)) ** 2).sum(-1)

    @property
    def T(self) -> Pairs:
        return self if self.alone else super().T


class _SquaredDistances(torch.autograd.Function):
    """Computes squared distances in place, and their gradients by two matrix products, of which all orders exist."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, y: Tensor, x_norms: Tensor, y_norms: Tensor) -> Tensor:
        return _squared_distances(x, y, x_norms, y_norms)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (weights,), (x, y) = gradients, ctx.saved_tensors
        of_x = _pull(weights, x, y) if ctx.needs_input_grad[0] else None
        of_y = _pull(weights.T, y, x) if ctx.needs_input_grad[1] else None
        return of_x, of_y, None, None


class _OwnSquaredDistances(torch.autograd.Function):
    """Computes the squared distances inside one cloud by its Gram matrix: one product forwards, one backwards, no pass else."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        if x.shape[1] <= FEW:
            return _by_differences(x, x)
        products = x @ x.T
        norms = (1 - NOISE * torch.finfo(x.dtype).eps) * products.diagonal()
        return (norms[:, None] + norms).sub_(products, alpha=2).clamp_min_(0)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (weights,), (x,) = gradients, ctx.saved_tensors
        both = 2 * (weights + weights.T)
        gradient: Tensor = (both.sum(1).diag() - both) @ x
        return gradient


def _mean(points: Tensor) -> Tensor:
    """Returns the mean of points, with shape (D,), by a product, which reads wide points faster than a sum does.

    It is cut from the graph: distances do not depend on it, and a cloud without gradient then needs none.
    """
    return points.new_full((len(points),), 1 / len(points)) @ points.detach()


def _pull(weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Returns the gradient in x of the weighted sum of squared distances to y, with shape (N, D)."""
    return torch.addmm(weights.sum(1, keepdim=True) * x, weights, y, alpha=-1) * 2


def _squared_distances(x: Tensor, y: Tensor, x_norms: Tensor, y_norms: Tensor) -> Tensor:
    return _by_differences(x, y) if x.shape[1] <= FEW else _by_products(x, y, x_norms, y_norms)


def _by_differences(x: Tensor, y: Tensor) -> Tensor:
    if in_transform():
        return (x[:, None] - y).square().sum(2)
    squared, gaps = x.new_zeros(len(x), len(y)), x.new_empty(len(x), len(y))
    for x_entries, y_entries in zip(x.T.contiguous(), y.T.contiguous(), strict=True):
        torch.sub(x_entries[:, None], y_entries, out=gaps)  # the same memory, which stays in the cache
        squared.addcmul_(gaps, gaps)
    return squared


def _by_products(x: Tensor, y: Tensor, x_norms: Tensor, y_norms: Tensor) -> Tensor:
    less = 1 - NOISE * torch.finfo(x.dtype).eps
    squared = torch.addmm(less * y_norms, x, y.T, alpha=-2)  # (N, M)
    return squared.add_(less * x_norms[:, None]).clamp_min_(0)


class Values(Pairs):
    """Holds the values of a function of two blocks of points, such as a kernel or a ground cost, for all pairs.

    Args:
        function: Returns the values of all pairs of two blocks, with shape (N, M).
        x: The first points, with shape (N, D).
        y: The second points, with shape (M, D); the first themselves where `None`.
        formula: Returns them of LazyTensors, or `None`: KeOps then cannot sum them.
    """

    def __init__(
        self,
        function: Callable[[Tensor, Tensor], Tensor],
        x: Tensor,
        y: Tensor | None = None,
        formula: Callable[[Any, Any], Any] | None = None,
        swapped: bool = False,
    ) -> None:
        super().__init__(x, y)
        self.function, self.formula, self.swapped = function, formula, swapped

    def block(self, rows: slice) -> Tensor:
        return self.function(self.y, self.x[rows]).T if self.swapped else self.function(self.x[rows], self.y)

    def symbolic(self, lazy: Any) -> Any:
        x, y = lazy(self.x, axis=0), lazy(self.y, axis=1)
        found = None if self.formula is None else self.formula(*((y, x) if self.swapped else (x, y)))
        if found is None:
            raise BackendError(
                f"{self.function!r} has no formula for KeOps. Give its class a method `formula`, or use the backend 'dense'."
            )
        return found

    @property
    def T(self) -> Values:
        return Values(self.function, self.y, self.x, self.formula, not self.swapped)


class Dots(Pairs):
    r"""Creates the inner products $\langle x_i, y_j \rangle$ of all pairs.

    Args:
        x: The first points, with shape (N, D).
        y: The second points, with shape (M, D); the first themselves where `None`.
    """

    def block(self, rows: slice) -> Tensor:
        return self.x[rows] @ self.y.T

    def symbolic(self, lazy: Any) -> Any:
        return lazy(self.x, axis=0) | lazy(self.y, axis=1)
