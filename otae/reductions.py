"""Sums over all pairs of two clouds, from which costs are built; never a tensor of shape (N, M, D)."""

from __future__ import annotations

import torch
from torch import Tensor

_NOISE = 8.0  # rounding of a centred Gram entry, in units of the type's epsilon times the squared norms: measured below 4


def squared_distances(x: Tensor, y: Tensor | None = None) -> Tensor:
    r"""Returns the squared Euclidean distances of all pairs, with shape (N, M).

    $$\|x_i - y_j\|^2 = \|x_i\|^2 + \|y_j\|^2 - 2 \langle x_i, y_j\rangle$$

    The points are centred first and kept at least in single precision, so that nothing cancels: a cloud of spread 1e-3
    around a large mean is as exact as one around 0. Distances below the rounding noise are exactly 0, with zero gradient.
    Memory is O(NM + (N+M)D), and gradients of any order exist.

    Args:
        x: The first points, with shape (N, D).
        y: The second points, with shape (M, D); the first themselves where `None`, with an exactly zero diagonal.
    """
    with torch.autocast(x.device.type, enabled=False):
        x = _precise(x)
        y = None if y is None else _precise(y)
        return _among(x - x.mean(0)) if y is None else _between(x, y)


def _among(x: Tensor) -> Tensor:
    norms = x.square().sum(1)
    squared = _cut(norms, norms, x, x)
    return squared.masked_fill(torch.eye(len(x), dtype=torch.bool, device=x.device), 0)


def _between(x: Tensor, y: Tensor) -> Tensor:
    centre = (x.mean(0) + y.mean(0)) / 2
    x, y = x - centre, y - centre
    return _cut(x.square().sum(1), y.square().sum(1), x, y)


def _cut(x_norms: Tensor, y_norms: Tensor, x: Tensor, y: Tensor) -> Tensor:
    norms = x_norms[:, None] + y_norms[None, :]
    squared = torch.addmm(norms, x, y.T, alpha=-2)
    return squared.masked_fill(squared.detach() <= _NOISE * torch.finfo(x.dtype).eps * norms.detach(), 0)


def distances(x: Tensor, y: Tensor | None = None) -> Tensor:
    """Returns the Euclidean distances of all pairs, with shape (N, M); zero gradient where points coincide.

    Args:
        x: The first points, with shape (N, D).
        y: The second points, with shape (M, D); the first themselves where `None`, with an exactly zero diagonal.
    """
    return safe_sqrt(squared_distances(x, y))


def safe_sqrt(squared: Tensor) -> Tensor:
    """Returns the square root, with gradient 0 instead of infinity where the argument is 0.

    Args:
        squared: Non-negative values, with any shape.
    """
    zero = squared.detach() == 0
    return squared.masked_fill(zero, 1).sqrt().masked_fill(zero, 0)


def _precise(points: Tensor) -> Tensor:
    return points.to(torch.promote_types(points.dtype, torch.float32))
