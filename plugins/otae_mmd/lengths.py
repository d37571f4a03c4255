"""The lengths over which kernels fall off: given, read off the prior, or the median distance of the points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from otae.reductions import squared_distances

WAE_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_SAMPLE = 256  # points of each cloud whose pairs the median is taken over


@dataclass(frozen=True)
class Lengths:
    """Creates the rules for the lengths of kernels.

    Args:
        variance: The variance σ² of the prior in each dimension.
        scales: The factors s of the squared lengths, over which a kernel is summed; its own where `None`.
        bandwidth: The length h, or its rule.
        alpha: The exponent α of a kernel that has one.
    """

    variance: float
    scales: tuple[float, ...] | None
    bandwidth: float | Literal["median"]
    alpha: float

    def between(self, x: Tensor, y: Tensor) -> Measured:
        """Returns the lengths for two clouds.

        Args:
            x: The points of the source, with shape (N, D).
            y: The points of the target, with shape (M, D).
        """
        return Measured(self, x, y)


@dataclass(frozen=True, eq=False)
class Measured:
    """Creates the lengths of kernels between two clouds, each computed when a kernel first reads it.

    Args:
        rules: The rules.
        x: The points of the source, with shape (N, D).
        y: The points of the target, with shape (M, D).
    """

    rules: Lengths
    x: Tensor
    y: Tensor

    @property
    def alpha(self) -> float:
        """Returns the exponent α."""
        return self.rules.alpha

    @property
    def of_prior(self) -> list[float]:
        """Returns the squared lengths D σ² s, half the squared distances of points of the prior; WAE's seven by default."""
        return [self.x.shape[1] * self.rules.variance * scale for scale in self.rules.scales or WAE_SCALES]

    @cached_property
    def of_bandwidth(self) -> list[float | Tensor]:
        """Returns the squared lengths h² s; one by default."""
        given = self.rules.bandwidth
        square = median_square(self.x, self.y) if given == "median" else given**2
        return [square * scale for scale in self.rules.scales or (1.0,)]


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
