"""A batch of clouds of one size, padded by points of weight 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..cloud import Cloud
from ..errors import CloudError


@dataclass(frozen=True, eq=False)
class Batch:
    """Holds a batch of clouds.

    Args:
        points: The points, with shape (B, N, D), in single precision at least.
        weights: Their weights, with shape (B, N); uniform where `None`.
    """

    points: Tensor
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.points)

    @property
    def masses(self) -> Tensor:
        """Returns the weights of each cloud, normalised to sum 1, with shape (B, N)."""
        if self.weights is None:
            return self.points.new_full(self.points.shape[:2], 1 / self.points.shape[1])
        return self.weights / self.weights.sum(1, keepdim=True)

    @property
    def counts(self) -> Tensor:
        """Returns how many points of each cloud have weight, with shape (B,)."""
        if self.weights is None:
            return torch.full((len(self),), self.points.shape[1], device=self.points.device)
        return (self.weights > 0).sum(1)

    def mean(self) -> Tensor:
        """Returns the mean of the points of each cloud under its masses, with shape (B, D)."""
        return (self.masses[:, None] @ self.points)[:, 0]

    def moved(self, shift: Tensor) -> Batch:
        """Returns the batch with all points of each cloud moved.

        Args:
            shift: By how much, with shape (B, D).
        """
        return Batch(self.points + shift[:, None], self.weights)

    def detach(self) -> Batch:
        """Returns the batch, cut from the graph."""
        return Batch(self.points.detach(), None if self.weights is None else self.weights.detach())

    def to(self, dtype: torch.dtype) -> Batch:
        """Returns the batch in a floating-point type.

        Args:
            dtype: The type.
        """
        return Batch(self.points.to(dtype), None if self.weights is None else self.weights.to(dtype))

    def select(self, places: Tensor) -> Batch:
        """Returns some of the clouds.

        Args:
            places: Their places in the batch, with shape (K,).
        """
        return Batch(self.points[places], None if self.weights is None else self.weights[places])

    def clouds(self) -> Iterator[Cloud]:
        """Yields each cloud."""
        for index, points in enumerate(self.points):
            yield Cloud(points, None if self.weights is None else self.weights[index])


def read_batch(points: Tensor, weights: Tensor | None) -> Batch:
    """Returns a batch of clouds, in which points without weight, which change nothing, are moved to a point with weight.

    Args:
        points: The points, with shape (B, N, D).
        weights: Their weights, with shape (B, N); uniform where `None`.

    Raises:
        CloudError: If they are no batch of clouds.
    """
    if points.ndim != 3 or 0 in points.shape[:2]:
        raise CloudError(f"A batch compares clouds of shapes (B, N, D) and (B, M, D), got {tuple(points.shape)}.")
    if not points.is_floating_point():
        raise CloudError(f"A batch holds floating-point points, got {points.dtype}. Convert them with .float().")
    precise = torch.promote_types(points.dtype, torch.float32)
    points = points.to(precise)
    if weights is None:
        return Batch(points)
    weights = torch.as_tensor(weights, device=points.device).to(precise)
    if weights.shape != points.shape[:2]:
        raise CloudError(
            f"The weights of a batch of shape {tuple(points.shape)} have shape {tuple(points.shape[:2])}, "
            f"got {tuple(weights.shape)}."
        )
    if not bool((weights.isfinite() & (weights >= 0)).all() & (weights.sum(1) > 0).all()):
        raise CloudError("Weights must be finite, non-negative, and not all zero in any cloud of the batch.")
    moved = weights == 0
    if torch.is_grad_enabled() and weights.requires_grad:  # where a point without weight is, then tells its gradient
        moved = moved & ~points.detach().isfinite().all(2)
    return Batch(move_to_heaviest(points, weights, moved), weights)


def move_to_heaviest(points: Tensor, weights: Tensor, moved: Tensor) -> Tensor:
    """Returns the points of a batch, with shape (B, N, D), of which some stand where the heaviest point of their cloud does.

    Args:
        points: The points, with shape (B, N, D).
        weights: Their weights, with shape (B, N).
        moved: Which points to move, with shape (B, N).
    """
    if not bool(moved.any()):
        return points
    stand_in = points.detach().gather(1, weights.argmax(1)[:, None, None].expand(-1, 1, points.shape[2]))
    return torch.where(moved[:, :, None], stand_in, points)
