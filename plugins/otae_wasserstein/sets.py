"""The ground cost of two sets of points: how far each point is from the nearest one of the other set."""

from __future__ import annotations

import torch
from torch import Tensor

from otae.errors import CloudError


def chamfer(x: Tensor, y: Tensor) -> Tensor:
    r"""Returns the Chamfer distance of each pair of sets, with shape (N,).

    $$c(x, y) = \frac1P \sum_{i=1}^P \min_j \|x_i - y_j\|_2^2 + \frac1P \sum_{j=1}^P \min_i \|x_i - y_j\|_2^2$$

    The nearest points are found by inner products, in O(N P²) memory; the distances to them are differences, to which
    nothing cancels, and which alone are kept for the gradient.

    Args:
        x: N sets of P points, with shape (N, P, D).
        y: The sets they are paired with, with shape (N, P, D).

    Raises:
        CloudError: If the samples are no sets of points, or of different shapes.
    """
    if x.ndim != 3 or x.shape != y.shape:
        given = f"the source has shape {tuple(x.shape)} and the target {tuple(y.shape)}"
        cure = "Reshape them, or choose another ground cost, such as 'sqeuclidean'"
        raise CloudError(f"The ground cost 'chamfer' compares sets, with shape (N, points, dims), but {given}. {cure}.")
    with torch.no_grad():
        centre = x.mean(1, keepdim=True)
        a, b = x - centre, y - centre
        squares = a.square().sum(2)[:, :, None] + b.square().sum(2)[:, None] - 2 * a @ b.transpose(1, 2)
        of_x, of_y = squares.argmin(2), squares.argmin(1)
    return _to(x, y, of_x) + _to(y, x, of_y)


def _to(points: Tensor, others: Tensor, nearest: Tensor) -> Tensor:
    partners = others.gather(1, nearest[:, :, None].expand_as(points))
    return (points - partners).square().sum(2).mean(1)
