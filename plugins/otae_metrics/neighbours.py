"""Distances to nearest neighbours, exactly and in bounded memory."""

from __future__ import annotations

import torch
from torch import Tensor


def nearest(points: Tensor, among: Tensor, count: int = 1) -> tuple[Tensor, Tensor]:
    """Returns the distances from points to their nearest others, ascending, and the indices of these, each (N, count).

    Args:
        points: The points, with shape (N, D).
        among: The points to look among, with shape (M, D), at least `count`.
        count: The number of neighbours.
    """
    from sklearn.neighbors import NearestNeighbors

    model = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(among.numpy())
    distances, indices = model.kneighbors(points.numpy())
    return torch.from_numpy(distances), torch.from_numpy(indices)


def radii(points: Tensor, count: int) -> Tensor:
    """Returns the distance from each point to the `count`-th nearest of the others, with shape (N,).

    Args:
        points: The points, with shape (N, D), more than `count`.
        count: The number of neighbours.
    """
    return nearest(points, points, count + 1)[0][:, -1]  # the nearest of all is the point itself


def within(points: Tensor, centres: Tensor, reach: Tensor) -> Tensor:
    """Returns how many balls each point lies in, with shape (N,), in double precision.

    Args:
        points: The points, with shape (N, D).
        centres: The centres of the balls, with shape (M, D).
        reach: Their radii, with shape (M,).
    """
    size = max(1, 2**24 // len(centres))
    batches = torch.split(points, size)
    return torch.cat([(_distances(batch, centres) <= reach).sum(1) for batch in batches]).double()


def _distances(x: Tensor, y: Tensor) -> Tensor:
    from sklearn.metrics import pairwise_distances  # the same rounding as the neighbours' own

    return torch.from_numpy(pairwise_distances(x.numpy(), y.numpy()))
