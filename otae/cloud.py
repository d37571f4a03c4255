"""The cloud: points of one batch, with their weights and the law they were drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.distributions import Distribution

from .errors import CloudError


@dataclass(frozen=True, eq=False)
class Cloud:
    """Creates a cloud of points, the thing that costs compare.

    Args:
        points: The points, with shape (N, …) and a floating-point type.
        weights: The mass of each point, with shape (N,), non-negative; uniform where `None`. Costs normalise it to sum 1.
        law: The distribution the points were drawn from, where it is known: one for all points, or one per point.
        parts: The members of a joint cloud, in order; empty for a single cloud.

    Raises:
        CloudError: If there is no point, the points are not floating-point, or the weights do not fit.

    Examples:
        >>> cloud = Cloud(torch.zeros(5, 1, 8, 8))
        >>> len(cloud), tuple(cloud.flat.shape)
        (5, (5, 64))
    """

    points: Tensor
    weights: Tensor | None = None
    law: Distribution | None = None
    parts: tuple[Cloud, ...] = ()

    def __post_init__(self) -> None:
        if self.points.ndim == 0 or len(self.points) == 0:
            raise CloudError(f"A cloud needs at least one point: got a tensor of shape {tuple(self.points.shape)}.")
        if not self.points.is_floating_point():
            raise CloudError(
                f"A cloud holds floating-point points, got {self.points.dtype}. Convert them with .float()."
            )
        if self.weights is not None:
            self._check_weights(self.weights)

    def _check_weights(self, weights: Tensor) -> None:
        if weights.shape != (len(self),):
            raise CloudError(f"Weights must have shape ({len(self)},), one per point, got {tuple(weights.shape)}.")
        if not bool(torch.isfinite(weights).all() & (weights >= 0).all() & (weights.sum() > 0)):
            raise CloudError("Weights must be finite, non-negative and not all zero.")

    def __len__(self) -> int:
        return len(self.points)

    @property
    def flat(self) -> Tensor:
        """Returns the points as vectors, with shape (N, D)."""
        return self.points.reshape(len(self), -1)

    @property
    def masses(self) -> Tensor:
        """Returns the weights normalised to sum 1, with shape (N,); uniform where none were given."""
        if self.weights is None:
            return self.points.new_full((len(self),), 1 / len(self))
        return self.weights / self.weights.sum()

    @property
    def members(self) -> tuple[Cloud, ...]:
        """Returns the parts of a joint cloud, or the cloud itself as its only member."""
        return self.parts or (self,)

    def mean(self, values: Tensor) -> Tensor:
        """Returns the mean of one value per point under the masses.

        Args:
            values: One value per point, with shape (N,).
        """
        return values.mean() if self.weights is None else (self.masses * values).sum()

    def detach(self) -> Cloud:
        """Returns the same points cut from the graph, without their law."""
        weights = None if self.weights is None else self.weights.detach()
        return Cloud(self.points.detach(), weights, parts=tuple(part.detach() for part in self.parts))

    @classmethod
    def joint(cls, *clouds: Cloud) -> Cloud:
        """Returns the joint cloud of clouds that are paired sample by sample.

        Args:
            clouds: The members, each with the same number of points; their flattened points are set side by side.

        Raises:
            CloudError: If the members differ in their number of points, or several of them bear weights.
        """
        if len({len(cloud) for cloud in clouds}) != 1:
            sizes = ", ".join(str(len(cloud)) for cloud in clouds)
            raise CloudError(f"The members of a joint cloud must have equally many points, got {sizes or 'no member'}.")
        weights = [cloud.weights for cloud in clouds if cloud.weights is not None]
        if len(weights) > 1:
            raise CloudError("At most one member of a joint cloud may bear weights: they are those of the pairs.")
        return cls(torch.cat([cloud.flat for cloud in clouds], dim=1), next(iter(weights), None), parts=clouds)


CloudLike: TypeAlias = "Cloud | Tensor | Sequence[Cloud | Tensor]"


def as_cloud(value: CloudLike) -> Cloud:
    """Returns the cloud itself, a tensor as a cloud, or a sequence of either as a joint cloud.

    Args:
        value: A cloud, a tensor with shape (N, …), or a sequence of these.

    Raises:
        CloudError: If the value is none of these.
    """
    match value:
        case Cloud():
            return value
        case Tensor():
            return Cloud(value)
        case list() | tuple():
            return Cloud.joint(*map(as_cloud, value))
    raise CloudError(
        f"A cost compares Clouds or tensors, got {type(value).__name__}. Convert arrays with torch.as_tensor."
    )
