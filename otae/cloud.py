"""The cloud: points of one batch, with their weights and the law they were drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.distributions import Distribution

from .errors import CloudError


@dataclass(frozen=True, eq=False)
class Cloud:
    """Creates a cloud of points, the thing that costs compare.

    Args:
        points: The points, with shape (N, …) and a floating-point type.
        weights: The mass of each point, with shape (N,), non-negative; a tensor, or a list or array of numbers, which becomes
            one; uniform where `None`. Costs normalise it to sum 1.
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
            weights = _read_weights(self.weights, self.points)
            object.__setattr__(self, "weights", weights)
            self._check_weights(weights)

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
        """Returns the weights normalised to sum 1, with shape (N,) and at least single precision where they were given."""
        if self.weights is None:
            return self.points.new_full((len(self),), 1 / len(self))
        weights = self.weights.to(
            torch.promote_types(self.weights.dtype, torch.float32)
        )  # in half precision, sums overflow
        return weights / weights.sum()

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

    def to(self, dtype: torch.dtype) -> Cloud:
        """Returns the cloud with points of a type; weights, which are not points, keep theirs.

        Args:
            dtype: A floating-point type.
        """
        if self.points.dtype == dtype:
            return self
        return Cloud(self.points.to(dtype), self.weights, self.law, tuple(part.to(dtype) for part in self.parts))

    def select(self, indices: Tensor) -> Cloud:
        """Returns some of the points, with their weights; a law of all points stays, laws of single points do not.

        Args:
            indices: The indices of the points, with shape (K,).
        """
        weights = None if self.weights is None else self.weights[indices]
        law = self.law if self.law is not None and not self.law.batch_shape else None
        return Cloud(self.points[indices], weights, law, tuple(part.select(indices) for part in self.parts))

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
            CloudError: If the members differ in their number of points, or in the weights that they bear.
        """
        if len({len(cloud) for cloud in clouds}) != 1:
            sizes = ", ".join(str(len(cloud)) for cloud in clouds)
            raise CloudError(f"The members of a joint cloud must have equally many points, got {sizes or 'no member'}.")
        weights = [cloud.weights for cloud in clouds if cloud.weights is not None]
        if any(each is not weights[0] and not torch.equal(each, weights[0]) for each in weights[1:]):
            raise CloudError(
                "The members of a joint cloud may not bear different weights: they are those of the pairs."
            )
        return cls(torch.cat([cloud.flat for cloud in clouds], dim=1), next(iter(weights), None), parts=clouds)


def _read_weights(weights: Any, points: Tensor) -> Tensor:
    if isinstance(weights, Tensor):
        return weights if weights.is_floating_point() else weights.to(points.dtype)
    try:
        return torch.as_tensor(weights, dtype=points.dtype, device=points.device)
    except (TypeError, ValueError) as error:
        raise CloudError(
            f"Weights are one number a point, as a tensor, list or array: got {type(weights).__name__} ({error})."
        ) from error


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
