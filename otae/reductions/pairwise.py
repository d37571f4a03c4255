"""The squared and plain distances of all pairs of two clouds as matrices; never a tensor of shape (N, M, D)."""

from __future__ import annotations

import torch
from torch import Tensor

from .numbers import safe_sqrt
from .pairs import Squares


def squared_distances(x: Tensor, y: Tensor | None = None) -> Tensor:
    r"""Returns the squared Euclidean distances of all pairs, with shape (N, M).

    $$\|x_i - y_j\|^2 = \|x_i\|^2 + \|y_j\|^2 - 2 \langle x_i, y_j\rangle$$

    The points are centred first and kept at least in single precision, so that nothing cancels: a cloud of spread 1e-3
    around a large mean is as exact as one around 0. Distances below the rounding noise are exactly 0, with zero
    gradient. Memory is O(NM + (N+M)D), and gradients of any order exist.

    Args:
        x: The first points, with shape (N, D).
        y: The second points, with shape (M, D); the first themselves where `None`, with an exactly zero diagonal.

    Examples:
        >>> squared_distances(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
        tensor([[ 0., 25.],
                [25.,  0.]])
    """
    with torch.autocast(x.device.type, enabled=False):
        return Squares(x, y).block(slice(0, len(x)))


def distances(x: Tensor, y: Tensor | None = None) -> Tensor:
    """Returns the Euclidean distances of all pairs, with shape (N, M); zero gradient where points coincide.

    Args:
        x: The first points, with shape (N, D).
        y: The second points, with shape (M, D); the first themselves where `None`, with an exactly zero diagonal.
    """
    return safe_sqrt(squared_distances(x, y))
