"""The units of a divergence: how wide its clouds are, and what a factor of the ground cost does."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from otae.interfaces import Batch, DistancePower
from otae.transport import Optimum


def scale_optimum(found: Optimum, power: DistancePower) -> Optimum:
    """Returns what was found for a power of the distance as what it is for that times the factor.

    Args:
        found: What was found.
        power: The power, with its factor.
    """
    factor = power.factor

    def details() -> tuple[Tensor, tuple[Tensor, Tensor]]:
        value, (f, g) = found.details()
        return factor * value, (factor * f, factor * g)

    return replace(
        found,
        objective=factor * found.objective,
        gradients=[None if each is None else factor * each for each in found.gradients],
        details=details,
        asked=factor * found.asked,
        temperature=factor * found.temperature,
        gap=factor * found.gap,
    )


def bound_span(*sides: Batch) -> float:
    """Returns a bound on the distances of points with weight, the clouds of each pair moved onto each other.

    Args:
        *sides: The sources and the targets.
    """
    radii = []
    for side in sides:
        points, masses = side.points.detach(), side.masses.detach()
        gaps = points - (masses[:, :, None] * points).sum(1, keepdim=True)
        radii.append((torch.linalg.vector_norm(gaps, dim=2) * (masses > 0)).max())
    return float(torch.stack(radii).sum())
