"""The layers of networks over sets of points."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from otae.errors import ConfigError


class Pool(nn.Module):
    """Creates the mean and the largest value over the points of a set, from shape (N, P, F) to (N, 2 F)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.mean(1), x.amax(1)], dim=1)


class Seeds(nn.Module):
    """Creates the addition of learned seeds, one a point, to features of a whole set, from shape (N, F) to (N, P, F).

    Args:
        points: The number P of points.
        features: The number F of features.
    """

    def __init__(self, points: int, features: int) -> None:
        super().__init__()
        self.seeds = nn.Parameter(torch.randn(points, features))

    def forward(self, x: Tensor) -> Tensor:
        return x[:, None] + self.seeds


def check_sets(data_shape: tuple[int, ...], part: str) -> tuple[int, int]:
    """Returns the number of points of one set, and of entries of a point.

    Args:
        data_shape: The shape of one sample, which must be (points, dims).
        part: What asks, `encoder` or `decoder`, for the message.

    Raises:
        ConfigError: If the samples are no sets of points.
    """
    if len(data_shape) != 2:
        wanted = "sets of points with shape (points, dims), one number a point being (points, 1)"
        raise ConfigError(f"A set {part} takes {wanted}, but the data have shape {data_shape}. Use `{part}: mlp`.")
    points, dims = data_shape
    return points, dims
