"""The median distance of the points of two clouds, over which kernels may fall off."""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

import torch
from pydantic import Field
from torch import Tensor

from otae.reductions import batch_squares, squared_distances

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
    their order along a fixed direction: the order that they come in does not matter. Of batches, with shapes (B, N, D) and
    (B, M, D), it returns one for each, with shape (B, 1, 1).

    Args:
        x: The points of the source, with shape (N, D).
        y: The points of the target, with shape (M, D).
    """
    x, y = (_sample(points.detach()) for points in (x, y))
    square = squared_distances if x.ndim == 2 else batch_squares
    once = [_drop_mirrored(square(x, x)), _drop_mirrored(square(y, y)), square(x, y)]
    squared = torch.cat([block.flatten(-2) for block in once], -1)
    medians = squared.masked_fill(squared == 0, torch.nan).nanmedian(-1).values.nan_to_num(1.0)
    return medians if x.ndim == 2 else medians[:, None, None]


def _drop_mirrored(squared: Tensor) -> Tensor:
    return squared.triu(1)


def _sample(points: Tensor) -> Tensor:
    count = points.shape[-2]
    if count <= _SAMPLE:
        return points
    places = torch.arange(1, points.shape[-1] + 1, dtype=torch.float64, device=points.device)
    direction = (places * math.sqrt(2)).frac() - 0.5  # as good as random, and the same for all clouds
    ranks = (points.double() @ direction).argsort(-1)  # points that are no numbers come last
    size = count if points.ndim == 2 else points[..., 0].isfinite().sum(-1, keepdim=True)
    steps = torch.arange(_SAMPLE, device=points.device) * size // _SAMPLE
    chosen = ranks.gather(-1, (steps + size // (2 * _SAMPLE)).expand(*ranks.shape[:-1], _SAMPLE))
    return points.gather(-2, chosen[..., None].expand(*chosen.shape, points.shape[-1]))
