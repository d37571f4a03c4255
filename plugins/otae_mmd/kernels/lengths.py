"""The median distance of the points of two clouds, over which kernels may fall off."""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

import torch
from pydantic import Field
from torch import Tensor

from otae.reductions import squared_distances

Positive: TypeAlias = Annotated[float, Field(gt=0)]
Scales: TypeAlias = Annotated[tuple[Positive, ...], Field(min_length=1)]
Bandwidth: TypeAlias = Positive | Literal["median"]

_SAMPLE = 256  # points of each cloud whose pairs the median is taken over


def square_lengths(
    bandwidth: float | Literal["median"], scales: tuple[float, ...], x: Tensor, y: Tensor
) -> list[float | Tensor]:
    """Returns the squared lengths h² s, one for each scale s.

    Args:
        bandwidth: The length h; `median` for the median distance of the points of both clouds, without gradients.
        scales: The factors s of its square.
        x: The points of the source, with shape (N, D).
        y: The points of the target, with shape (M, D).
    """
    square = median_square(x, y) if bandwidth == "median" else bandwidth**2
    return [square * scale for scale in scales]


def median_square(x: Tensor, y: Tensor) -> Tensor:
    """Returns the median squared distance of pairs of points that differ, a scalar cut from the graph; else 1.

    Pairs within the clouds count as well as those between them. Of larger clouds, 256 points do, at regular intervals of
    their order along a fixed direction: the order that they come in does not matter.

    Args:
        x: The points of the source, with shape (N, D).
        y: The points of the target, with shape (M, D).
    """
    x, y = (_sample(points.detach()) for points in (x, y))
    once = [squared_distances(x).triu(), squared_distances(y).triu(), squared_distances(x, y)]
    squared = torch.cat([block.flatten() for block in once])
    return squared.masked_fill(squared == 0, torch.nan).nanmedian().nan_to_num(1.0)


def _sample(points: Tensor) -> Tensor:
    if len(points) <= _SAMPLE:
        return points
    places = torch.arange(1, points.shape[1] + 1, dtype=torch.float64, device=points.device)
    direction = (places * math.sqrt(2)).frac() - 0.5  # as good as random, and the same for all clouds
    ranks = (points.double() @ direction).argsort()
    steps = torch.arange(_SAMPLE, device=points.device) * len(points) // _SAMPLE
    return points[ranks[steps + len(points) // (2 * _SAMPLE)]]
