"""Radial kernels: functions of the squared distance, whose sums and slopes come from one pass over all pairs."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from ..interfaces import Kernel
from .pairwise import squared_distances


class Radial(Kernel):
    """Abstract base of kernels of two points that depend on their squared distance alone: an author writes `of`."""

    @abstractmethod
    def of(self, squared: Any) -> Any:
        """Returns the kernel of each pair, with gradients of every order.

        Args:
            squared: The squared distances, with any shape; a tensor, or a LazyTensor of KeOps.
        """

    def differentiate(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the kernel of each pair and its derivative by the squared distance, both without gradients.

        Where a kernel has a cusp at 0, the derivative there is 0.

        Args:
            squared: The squared distances, with any shape; their memory may be written over.
        """
        leaf = squared.detach().requires_grad_()
        with torch.enable_grad():
            values: Tensor = self.of(leaf)
            (slopes,) = torch.autograd.grad(values.sum(), leaf)
        return values.detach(), slopes

    def at_zero(self, like: Tensor) -> Tensor:
        """Returns the kernel of a point with itself, a scalar.

        Args:
            like: A tensor with the type and the device to use.
        """
        value: Tensor = self.of(like.new_zeros(()))
        return value

    @property
    def takes_batches(self) -> bool:
        """Returns that squared distances may have any shape."""
        return True

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        values: Tensor = self.of(squared_distances(x, y))
        return values

    def diagonal(self, x: Tensor) -> Tensor:
        return self.at_zero(x).expand(len(x))

    def formula(self, x: Any, y: Any) -> Any:
        return self.of(((x - y) ** 2).sum(-1))
