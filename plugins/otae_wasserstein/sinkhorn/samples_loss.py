"""Potentials by GeomLoss: its annealing, its own choice among dense, online and multiscale sums."""

from __future__ import annotations

import torch

from otae.reductions import load_library
from otae.transport import Distances, Potentials, Problem, Schedule
from otae.transport.balancing import violation


def solve_by_geomloss(
    problem: Problem,
    schedule: Schedule,
    start: Potentials | None = None,  # noqa: ARG001  # it has none to start from
) -> Potentials:
    """Returns the potentials that `geomloss.SamplesLoss` finds, and one more step, for which the columns are exact.

    Its ground cost is ours over p, and so are its potentials and its temperature. It takes one step at each temperature
    and two at the last, whatever the marginals; it leaves autograd switched on, which is undone here.

    Args:
        problem: The problem.
        schedule: The temperatures.
        start: Nothing that it could start from.

    References:
        Interpolating between Optimal Transport and MMD using Sinkhorn Divergences (Feydy et al., 2019)
        https://arxiv.org/abs/1810.08278
    """
    costs = problem.costs
    assert isinstance(costs, Distances)  # as the divergence makes them
    diameter = max(
        costs.span ** (1 / costs.power), schedule.blur
    )  # it would take the logarithm of 0 where all points are equal
    reach = schedule.reach if schedule.softness(schedule.last) else None
    options = {"p": schedule.power, "blur": schedule.blur, "scaling": schedule.scaling, "reach": reach}
    loss = load_library("geomloss").SamplesLoss("sinkhorn", **options, diameter=diameter, debias=False, potentials=True)
    with torch.set_grad_enabled(False):
        f, _ = loss(problem.a, costs.x.contiguous(), problem.b, costs.y.contiguous())
        phi = f.detach().flatten() / schedule.blur**schedule.power
        softness = schedule.softness(schedule.last)
        gamma = problem.T.extrapolate(phi, schedule.last) / (1 + softness)
        off = violation(problem, Potentials(phi, gamma), schedule.last, softness)
    return Potentials(phi, gamma, off, len(schedule.descent(diameter)) + 2)
