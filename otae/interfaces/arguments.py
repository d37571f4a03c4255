"""What a cost is called with, made ready: clouds of one type, without the points that have no weight."""

from __future__ import annotations

import torch
from torch import Tensor

from ..cloud import Cloud
from ..errors import CloudError


def refuse_batch(value: object, cost: str) -> None:
    """Checks that a tensor is not a batch of clouds, which would silently be taken for one cloud of large points.

    Args:
        value: What a cost was called with.
        cost: The name of the cost.

    Raises:
        CloudError: If it is a tensor with shape (B, N, D).
    """
    if isinstance(value, Tensor) and value.ndim == 3:
        shape = tuple(value.shape)
        raise CloudError(
            f"A tensor of shape {shape} is either {shape[0]} clouds or one cloud of {shape[0]} points. Call "
            f"{cost}.batched(x, y) for one result per cloud, or wrap it, Cloud(x), for one cloud of {shape[0]} points."
        )


def unify_types(*clouds: Cloud) -> list[Cloud]:
    """Returns clouds whose points have one type, promoted as torch promotes: double where one of them is.

    Args:
        clouds: The clouds.
    """
    dtype = clouds[0].points.dtype
    for cloud in clouds[1:]:
        dtype = torch.promote_types(dtype, cloud.points.dtype)
    return [cloud.to(dtype) for cloud in clouds]


def drop_weightless(source: Cloud, target: Cloud, paired: bool) -> tuple[Cloud, Cloud]:
    """Returns clouds without the points of weight 0, which change nothing, whatever their coordinates.

    Points stay where a gradient to their weights may be asked for, or where each has a law of its own; those of no weight
    whose coordinates are not finite, as of padding, are then moved to a point with weight.

    Args:
        source: A cloud, with shape (N, …).
        target: A cloud, with shape (M, …).
        paired: Whether the clouds are paired: a pair is dropped from both.
    """
    if source.weights is None and target.weights is None:
        return source, target
    if not paired:
        return _drop(source), _drop(target)
    weights = next(cloud.weights for cloud in (source, target) if cloud.weights is not None)
    kept = _kept(source, weights), _kept(target, weights)
    if kept[0] is None or kept[1] is None:
        return move_broken(source, weights), move_broken(target, weights)
    return source.select(kept[0]), target.select(kept[1])


def _drop(cloud: Cloud) -> Cloud:
    if cloud.weights is None:
        return cloud
    kept = _kept(cloud, cloud.weights)
    return move_broken(cloud) if kept is None else cloud.select(kept)


def _kept(cloud: Cloud, weights: Tensor) -> Tensor | None:
    """Returns the indices of points with weight, or `None` where the others must stay, or there are none."""
    differentiated = torch.is_grad_enabled() and weights.requires_grad
    if differentiated or (cloud.law is not None and cloud.law.batch_shape) or bool((weights > 0).all()):
        return None
    return (weights > 0).nonzero()[:, 0]


def move_broken(cloud: Cloud, weights: Tensor | None = None) -> Cloud:
    """Returns the cloud with points of weight 0 whose coordinates are not finite moved to a point with weight.

    Args:
        cloud: The cloud, with shape (N, …).
        weights: The weights, where they are not the cloud's own.
    """
    weights = cloud.weights if weights is None else weights
    if weights is None:
        return cloud
    weightless = weights == 0
    if not bool(weightless.any()) or bool(cloud.points[weightless].isfinite().all()):
        return cloud
    broken = weightless & ~cloud.flat.isfinite().all(1)
    return _move(cloud, broken, weights.argmax())


def _move(cloud: Cloud, broken: Tensor, place: Tensor) -> Cloud:
    """Returns a cloud with some of its points, and of its members', moved to another one."""
    stand_in = cloud.points[place].detach()
    points = torch.where(broken.reshape(len(cloud), *[1] * (cloud.points.ndim - 1)), stand_in, cloud.points)
    return Cloud(points, cloud.weights, cloud.law, tuple(_move(part, broken, place) for part in cloud.parts))
