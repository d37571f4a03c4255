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


def bound_span(source: Batch, target: Batch, apart: bool) -> float:
    """Returns a bound on the distances of points with weight between the clouds of each pair.

    Args:
        source: The sources.
        target: The targets.
        apart: Whether the clouds of each pair are moved onto each other first.
    """
    sides = source.detach(), target.detach()
    centres = [side.mean() for side in sides]
    if not apart:
        centres = 2 * [(centres[0] + centres[1]) / 2]
    radii = [
        (torch.linalg.vector_norm(side.moved(-centre).points, dim=2) * (side.masses > 0)).max()
        for side, centre in zip(sides, centres, strict=True)
    ]
    return float(torch.stack(radii).sum())
