"""The coupling of quantiles to quantiles on many lines at once: the monotone one."""

from __future__ import annotations

import torch
from torch import Tensor

from .sorting import order_rows


def couple_rows(of_x: Tensor, of_y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the pairs of the monotone coupling on each line: their masses, and the places of both, with shape (L, N + M).

    Masses are differentiable, from the right where they are 0: a point without mass has a pair of mass 0 of its own.

    Args:
        of_x: The mass up to each of the sorted source points on each line, with shape (L, N), in double precision.
        of_y: The same of the target points, with shape (L, M).
    """
    levels = torch.cat([of_x, of_y], dim=1)  # (L, N + M)
    order = order_rows(levels, stable=True)  # of points without mass: they come before those that they tie with
    masses = levels.gather(1, order).diff(dim=1, prepend=levels.new_zeros(len(levels), 1))
    ends_x = (order < of_x.shape[1]).long()
    i = ends_x.cumsum(1) - ends_x  # how many points of x come before
    j = torch.arange(levels.shape[1], device=levels.device) - i
    return masses, i.clamp_max(of_x.shape[1] - 1), j.clamp_max(of_y.shape[1] - 1)
