"""Couplings from which to look for one that bends two matrices of distances least."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from otae.transport import solve_simplex


def first_plans(c: Tensor, d: Tensor, a: Tensor, b: Tensor, count: int) -> Iterator[Tensor]:
    """Yields the independent coupling, that of matched profiles of distances, and more with a pair of points held together.

    A point's profile is the distribution of its distances. With a pair held together, the distances from that pair count as
    well, twice over: points at one distance from it are matched by their distances to the points nearest to it.

    Args:
        c: The distances of the source, with shape (N, N).
        d: The distances of the target, with shape (M, M).
        a: The masses of the source, with shape (N,), positive.
        b: The masses of the target, with shape (M,), positive.
        count: The number of couplings to yield.
    """
    yield a[:, None] * b
    if count == 1:
        return
    profiles = _profile_costs(c, d, a, b)
    yield solve_simplex(profiles, a, b).plan().dense()
    anchor = int((profiles.min(1).values.sqrt() * a + a * 1e-9).argmax())  # one that few points are like
    partners = profiles[anchor].argsort(stable=True)
    for index in range(count - 2):
        yield _hold_together(c, d, a, b, profiles, anchor, int(partners[index % len(b)]))


def _profile_costs(c: Tensor, d: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Returns the squared distances of the quantiles of all pairs of profiles, with shape (N, M)."""
    levels = (torch.arange(64, dtype=c.dtype, device=c.device) + 0.5) / 64

    def quantiles(matrix: Tensor, masses: Tensor) -> Tensor:
        order = matrix.argsort(1)
        cumulated = masses[order].cumsum(1)
        found = torch.searchsorted(cumulated, levels.expand(len(matrix), -1).contiguous()).clamp_max(len(masses) - 1)
        return matrix.gather(1, order.gather(1, found))

    return torch.cdist(quantiles(c, a), quantiles(d, b)).square() / 64


def _hold_together(c: Tensor, d: Tensor, a: Tensor, b: Tensor, profiles: Tensor, i: int, j: int) -> Tensor:
    """Returns a coupling in which two points, and then their neighbours one by one, are held together."""
    weights = a / a.max()  # points that hardly weigh hardly count
    costs = profiles + (c[:, i, None] - d[:, j]).square()
    costs[i], costs[:, j] = costs.max() * len(a), costs.max() * len(a)
    costs[i, j] = 0
    for point in c[i].argsort(stable=True)[1:].tolist():
        partner = int(costs[point].argmin())
        costs = costs + weights[point] * (c[:, point, None] - d[:, partner]).square()
        costs[point, partner] = 0
    return solve_simplex(costs, a, b).plan().dense()
