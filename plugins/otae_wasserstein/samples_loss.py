"""Potentials by GeomLoss: its annealing, its own choice among dense, online and multiscale sums."""

from __future__ import annotations

import torch

from otae.reductions import imported

from .annealing import Schedule
from .balance import Potentials, violation
from .entropic import Problem


def solved_by_geomloss(problem: Problem, schedule: Schedule) -> Potentials:
    """Returns the potentials that `geomloss.SamplesLoss` finds, and one more step, for which the columns are exact.

    Its ground cost is ours over p, and so are its potentials and its temperature. It takes one step at each temperature
    and two at the last, whatever the marginals; it leaves autograd switched on, which is undone here.

    Args:
        problem: The problem.
        schedule: The temperatures.

    References:
        Interpolating between Optimal Transport and MMD using Sinkhorn Divergences (Feydy et al., 2019)
        https://arxiv.org/abs/1810.08278
    """
    diameter = max(problem.diameter, schedule.blur)  # it would take the logarithm of 0 where all points are equal
    reach = schedule.reach if schedule.softness(schedule.last) else None
    options = {"p": schedule.power, "blur": schedule.blur, "scaling": schedule.scaling, "reach": reach}
    loss = imported("geomloss").SamplesLoss("sinkhorn", **options, diameter=diameter, debias=False, potentials=True)
    (x, a), (y, b) = ((side.points.contiguous(), side.masses) for side in (problem.source, problem.target))
    with torch.set_grad_enabled(False):
        f, _ = loss(a, x, b, y)
        phi = f.detach().flatten() / schedule.blur**schedule.power
        softness = schedule.softness(schedule.last)
        gamma = problem.T.extrapolated(y, phi, schedule.last) / (1 + softness)
        off = violation(problem, Potentials(phi, gamma), schedule.last, softness)
    return Potentials(phi, gamma, off, len(schedule.descent(diameter)) + 2)
