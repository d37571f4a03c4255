"""The derivatives of an entropic transport value by the points of one side, where costs are powers of distances."""

from __future__ import annotations

import torch
from torch import Tensor

from .costs import Distances
from .coupling import Coupling


def by_point(coupling: Coupling, costs: Distances, axis: int) -> Tensor:
    """Returns the derivatives of the value by the points of one side over their masses, with their shape.

    Args:
        coupling: The coupling.
        costs: The costs of its problem.
        axis: The side: 0 for the source, 1 for the target.
    """
    points, others = ((costs.x, costs.y), (costs.y, costs.x))[axis]
    masses = (coupling.problem.b, coupling.problem.a)[axis]
    density = coupling.density
    if costs.power == 2:
        weights = density
    else:
        least = torch.finfo(points.dtype).tiny
        square = costs.power / 2  # the slope of |d|^p by d is p |d|^(p - 2) d

        def slope(cost: Tensor) -> Tensor:
            if square == 0.5:
                return cost / (cost * cost + least)
            return cost / ((cost + least) ** (1 / square))

        weights = coupling.weigh(slope)
    sums = (weights.rows, weights.columns)[axis]
    if costs.held:  # the kernel is there: products are cheap, copies of the points are not
        means, share = sums(masses[:, None] * others), sums(masses)
    else:
        found = sums(masses[:, None] * torch.cat([others, torch.ones_like(masses[:, None])], 1))  # (N, D+1)
        means, share = found[:, :-1], found[:, -1]
    total = share if costs.power == 2 else (density.rows, density.columns)[axis](masses)
    factor = costs.power / total
    if coupling.softness:
        factor *= (-coupling.softness * coupling.potential(axis)).exp()
    return means.mul_(-factor[:, None]).addcmul_((factor * share)[:, None], points)
