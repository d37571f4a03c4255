"""The interface of ground costs: what it costs to move a unit of mass from one point to another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor


@dataclass(frozen=True)
class DistancePower:
    r"""Holds a ground cost that is a power of the Euclidean distance, $c \|x - y\|^p$, for which costs know closed forms.

    Args:
        exponent: The exponent p.
        factor: The factor c.
    """

    exponent: float
    factor: float = 1.0


class Ground(ABC):
    """Abstract base of ground costs: a function of two blocks of points.

    An author writes `__call__`. All else has a default, and is there to be faster, more precise, or known to KeOps. A ground
    cost with numbers to choose is best a frozen dataclass, whose fields are its options.

    Attributes:
        symmetric: Whether c(x, y) = c(y, x), and c(x, x) = 0.
    """

    symmetric: ClassVar[bool] = True

    @abstractmethod
    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the costs of all pairs, with shape (N, M), differentiable in the points.

        Args:
            x: The first points, with shape (N, …); costs that solve for a plan give vectors, with shape (N, D).
            y: The second points, with shape (M, …).
        """

    def pair(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the cost of each point and its partner, with shape (N,), differentiable in the points.

        Args:
            x: The first points, with shape (N, …).
            y: The second points, with shape (N, …).
        """
        if len(x) == 0:
            return x.new_zeros(0)
        return torch.cat([self(x[i, None], y[i, None])[0] for i in range(len(x))])

    def within(self, x: Tensor) -> Tensor:
        """Returns the costs of all pairs of one cloud, with shape (N, N), differentiable in the points.

        Args:
            x: The points, with shape (N, …).
        """
        return self(x, x)

    def formula(self, x: Any, y: Any) -> Any | None:
        """Returns the costs of all pairs as a formula of KeOps, with shape (N, M), or `None` where there is none.

        Args:
            x: The first points as a LazyTensor, with shape (N, 1, D).
            y: The second points as a LazyTensor, with shape (1, M, D).
        """
        return None

    @property
    def degree(self) -> float:
        r"""Returns the power p of a length that the cost is, such as 2 for squared distances.

        Lengths, such as the blur σ of entropic transport, are turned into costs by $p\,\sigma^p$.
        """
        return 1.0

    @property
    def distance_power(self) -> DistancePower | None:
        """Returns the power of the Euclidean distance that the cost is, or `None` where it is another."""
        return None
