"""A memory of recent points, which makes the clouds of mini-batches larger."""

from __future__ import annotations

import math
from typing import TypeAlias

import torch
from torch import Tensor, nn

from otae.cloud import Cloud
from otae.errors import CloudError, ConfigError

Shapes: TypeAlias = tuple[tuple[int, ...], ...]


class Memory(nn.Module):
    """Creates a memory of the last points of a cloud: those of earlier batches join the batch, cut from the graph.

    It grows in training mode alone, and is saved with the model's state, so that a resumed run goes on alike.

    Args:
        capacity: The number of points to keep; 0 for none.
        shapes: The shapes of the cloud's members.

    Raises:
        ConfigError: If points are to be kept and no shapes are given.
    """

    points: Tensor
    filled: Tensor

    def __init__(self, capacity: int, shapes: Shapes) -> None:
        super().__init__()
        if capacity and not shapes:
            raise ConfigError("A memory needs the shapes of the points: give source_shapes and target_shapes.")
        size = sum(math.prod(shape) for shape in shapes)
        self.register_buffer("points", torch.zeros(capacity, size if capacity else 0))
        self.register_buffer("filled", torch.tensor(0))

    def forward(self, cloud: Cloud) -> Cloud:
        """Returns the cloud together with what is remembered; in training mode, remembers the cloud for the next time.

        Args:
            cloud: A cloud, with shape (N, …).

        Raises:
            CloudError: If the cloud bears weights, or its points have other sizes than those that are kept.
        """
        if len(self.points) == 0:
            return cloud
        if cloud.weights is not None:
            raise CloudError("A memory keeps points without weights, but the cloud bears some: set memory to 0.")
        new = cloud.flat
        if new.shape[1] != self.points.shape[1]:
            raise CloudError(
                f"The memory keeps points of {self.points.shape[1]} entries, but these have {new.shape[1]}."
            )
        past = self.points[: int(self.filled)].to(new)
        joined = torch.cat([new, past])
        if self.training:
            kept = joined.detach()[: len(self.points)]
            self.points[: len(kept)] = kept
            self.filled.fill_(len(kept))
        return Cloud(joined)

    def extra_repr(self) -> str:
        return f"capacity={len(self.points)}"
