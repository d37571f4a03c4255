"""Couplings from which to look for one that bends two matrices of distances least."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from otae.transport import solve_simplex

_CELLS = 64  # of the profiles' quantile functions
_MOST_CELLS = 256
_EXACTLY = "donot_use_mm_for_euclid_dist"


@dataclass(frozen=True, eq=False)
class Profiles:
    """Holds how the profiles of two sets of points match: the distributions of their distances.

    Args:
        costs: The squared Wasserstein distances of all pairs of profiles, or less, with shape (N, M).
        plan: The coupling that matches them best, with shape (N, M).
        floor: What no coupling can cost less than.
    """

    costs: Tensor
    plan: Tensor
    floor: float


def match_profiles(c: Tensor, d: Tensor, a: Tensor, b: Tensor) -> Profiles:
    r"""Returns how the profiles of points match, which bounds the Gromov-Wasserstein cost from below.

    $$\sum_{ij} P_{ij} \sum_{kl} (C_{ik} - D_{jl})^2 P_{kl} \ge \sum_{ij} P_{ij}\, W_2^2(C_i, D_j)$$

    Args:
        c: The distances of the source, with shape (N, N).
        d: The distances of the target, with shape (M, M).
        a: The masses of the source, with shape (N,), positive.
        b: The masses of the target, with shape (M,), positive.

    References:
        Gromov-Wasserstein Distances and the Metric Approach to Object Matching (Mémoli, 2011), the third lower bound
        https://doi.org/10.1007/s10208-011-9093-5
    """
    both = math.lcm(len(a), len(b))  # of uniform masses, profiles are then even in each cell, and distances exact
    cells = both if both <= _MOST_CELLS else _CELLS
    costs = torch.cdist(_quantiles(c, a, cells), _quantiles(d, b, cells), compute_mode=_EXACTLY).square() / cells
    flow = solve_simplex(costs, a, b)
    plan = flow.plan().dense()
    return Profiles(costs, plan, max(float((costs * plan).sum()) - flow.gap, 0.0))


def held_plans(c: Tensor, d: Tensor, a: Tensor, b: Tensor, profiles: Profiles, count: int) -> Tensor:
    """Returns couplings in which a pair of points is held together, with shape (count, N, M).

    With a pair held together, the distances from that pair count as well, twice over: points at one distance from it are
    matched by their distances to the points nearest to it.

    Args:
        c: The distances of the source, with shape (N, N).
        d: The distances of the target, with shape (M, M).
        a: The masses of the source, with shape (N,), positive.
        b: The masses of the target, with shape (M,), positive.
        profiles: How their profiles match.
        count: The number of couplings.
    """
    costs = profiles.costs
    anchor = int((costs.min(1).values.sqrt() * a + a * 1e-9).argmax())  # one that few points are like
    partners = costs[anchor].argsort(stable=True)[:count]
    return torch.stack(
        [solve_simplex(each, a, b).plan().dense() for each in _hold_together(c, d, a, costs, anchor, partners)]
    )


def _quantiles(matrix: Tensor, masses: Tensor, cells: int) -> Tensor:
    """Returns the mean of each row's quantile function over each of some even cells, with shape (N, cells)."""
    ordered, order = matrix.sort(1)
    shares = masses[order]
    cumulated = shares.cumsum(1)
    sums = (shares * ordered).cumsum(1)
    levels = torch.arange(1, cells + 1, dtype=matrix.dtype, device=matrix.device) / cells
    at = torch.searchsorted(cumulated, levels.expand(len(matrix), -1).contiguous()).clamp_max(len(masses) - 1)
    beyond = (cumulated.gather(1, at) - levels) * ordered.gather(1, at)  # of the point that the level cuts
    integrals = sums.gather(1, at) - beyond
    return cells * torch.diff(integrals, dim=1, prepend=torch.zeros_like(integrals[:, :1]))


def _hold_together(c: Tensor, d: Tensor, a: Tensor, profiles: Tensor, i: int, partners: Tensor) -> Tensor:
    """Returns what to match by where a point and each of its partners, and then their neighbours one by one, are held together.

    The costs have shape (S, N, M) for S partners; all are found at once.
    """
    starts = torch.arange(len(partners), device=c.device)
    weights = a / a.max()  # points that hardly weigh hardly count
    costs = profiles + (c[:, i, None] - d[:, partners].T[:, None]).square()  # (S, N, M)
    high = costs.amax((1, 2)) * len(a)
    costs[:, i] = high[:, None]
    costs[starts, :, partners] = high[:, None]
    costs[starts, i, partners] = 0
    for point in c[i].argsort(stable=True)[1:].tolist():
        chosen = costs[:, point].argmin(1)
        costs += weights[point] * (c[:, point, None] - d[:, chosen].T[:, None]).square()
        costs[starts, point, chosen] = 0
    return costs
