"""The derivatives of an entropic transport value by the points of one side, where costs know their points."""

from __future__ import annotations

from functools import singledispatch

import torch
from torch import Tensor

from .costs import Distances, PairCosts
from .coupling import Coupling
from .ground_costs import GroundCosts


@singledispatch
def by_point(costs: PairCosts, coupling: Coupling, axis: int) -> Tensor:  # noqa: ARG001  # implementations use them
    """Returns the derivatives of the value by the points of one side over their masses, with their shape.

    Of a cloud with itself, only the first of both points moves.

    Args:
        costs: The costs of the coupling's problem, of a kind that knows its points.
        coupling: The coupling.
        axis: The side: 0 for the source, 1 for the target.
    """
    raise TypeError(f"{type(costs).__name__} knows no points: register a function for it, `@by_point.register`.")


@by_point.register
def _of_ground(costs: GroundCosts, coupling: Coupling, axis: int) -> Tensor:
    return costs.pull(coupling, axis)


@by_point.register
def _of_distances(costs: Distances, coupling: Coupling, axis: int) -> Tensor:
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
