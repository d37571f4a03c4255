"""Sums over all pairs of two clouds, from which costs are built; never a tensor of shape (N, M, D)."""

from __future__ import annotations

import torch
from torch import Tensor

from .cloud import Cloud
from .errors import CloudError

_NOISE = 8.0  # rounding of a centred Gram entry in units of epsilon times the squared norms: measured below 4


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
        return _among(precise(x)) if y is None else _between(precise(x), precise(y))


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
    return safe_power(squared, 0.5)


def safe_power(values: Tensor, power: float) -> Tensor:
    """Returns a power, with gradients of every order 0 instead of infinite where the argument is 0.

    Args:
        values: Non-negative values, with any shape.
        power: The exponent, positive.
    """
    zero = values.detach() == 0
    return values.masked_fill(zero, 1).pow(power).masked_fill(zero, 0)


def precise(points: Tensor) -> Tensor:
    """Returns the points in single precision at least: half precision is too coarse for differences of points.

    Args:
        points: Values of a floating-point type, with any shape.
    """
    return points.to(torch.promote_types(points.dtype, torch.float32))


def pair_weights(source: Cloud, target: Cloud) -> Tensor | None:
    """Returns the weights of the pairs that two clouds of one line form, with shape (N,), or `None` where uniform.

    Args:
        source: A cloud, with shape (N, …).
        target: The cloud it is paired with, with shape (N, …).

    Raises:
        CloudError: If both bear weights and their masses differ.
    """
    if source.weights is None or target.weights is None:
        return target.weights if source.weights is None else source.weights
    if not torch.allclose(source.masses.to(target.masses), target.masses):
        raise CloudError(
            "The weights of paired clouds are those of the pairs, but these differ: give them to one only."
        )
    return source.weights


def _among(x: Tensor) -> Tensor:
    x = x - x.mean(0)
    norms = x.square().sum(1)
    return _from_gram(x, x, norms, norms).masked_fill(torch.eye(len(x), dtype=torch.bool, device=x.device), 0)


def _between(x: Tensor, y: Tensor) -> Tensor:
    centre = (x.mean(0) + y.mean(0)) / 2
    x, y = x - centre, y - centre
    return _from_gram(x, y, x.square().sum(1), y.square().sum(1))


def _from_gram(x: Tensor, y: Tensor, x_norms: Tensor, y_norms: Tensor) -> Tensor:
    norms = x_norms[:, None] + y_norms[None, :]
    squared = torch.addmm(norms, x, y.T, alpha=-2)
    return squared.masked_fill(squared.detach() <= _NOISE * torch.finfo(x.dtype).eps * norms.detach(), 0)
