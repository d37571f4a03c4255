"""The squared and plain distances of all pairs of two clouds as matrices; never a tensor of shape (N, M, D)."""

from __future__ import annotations

import torch
from torch import Tensor

from .numbers import safe_sqrt
from .pairs import FEW, NOISE, Squares


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


def batch_squares(x: Tensor, y: Tensor) -> Tensor:
    """Returns the squared Euclidean distances of all pairs of each cloud of a batch, with shape (B, N, M), without gradients.

    Args:
        x: The first points, with shape (B, N, D), in single precision at least.
        y: The second points, with shape (B, M, D), of the same type.
    """
    x, y = x.detach(), y.detach()
    if x.shape[2] <= FEW:
        squared = (x[:, :, None, 0] - y[:, None, :, 0]).square_()
        for entry in range(1, x.shape[2]):
            gaps = x[:, :, None, entry] - y[:, None, :, entry]
            squared.addcmul_(gaps, gaps)
        return squared
    centre = (x.nanmean(1, keepdim=True) + y.nanmean(1, keepdim=True)) / 2
    x, y = x - centre, y - centre
    less = 1 - NOISE * torch.finfo(x.dtype).eps
    squared = torch.baddbmm(less * y.square().sum(2)[:, None], x, y.mT, alpha=-2)
    return squared.add_(less * x.square().sum(2)[:, :, None]).clamp_min_(0)
