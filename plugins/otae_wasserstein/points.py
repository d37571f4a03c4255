"""What costs see of clouds: points and masses of one precision, centred."""

from __future__ import annotations

import torch
from torch import Tensor

from otae.cloud import Cloud
from otae.interfaces import Batch
from otae.reductions import precise
from otae.transport import cloud_masses


def pair_of_points(source: Cloud, target: Cloud) -> tuple[Tensor, Tensor]:
    """Returns the points of both clouds in one type, at least single precision, with shapes (N, D) and (M, D).

    Args:
        source: A cloud, with shape (N, …).
        target: A cloud, with shape (M, …).
    """
    x, y = precise(source.flat), precise(target.flat)
    dtype = torch.promote_types(x.dtype, y.dtype)
    return x.to(dtype), y.to(dtype)


def centre(source: Cloud, target: Cloud) -> tuple[Tensor, Tensor]:
    """Returns the points of both clouds, less one point amid them, with shapes (N, D) and (M, D).

    Costs of differences do not change, nor do their gradients, but rounding does.

    Args:
        source: A cloud, with shape (N, …).
        target: A cloud, with shape (M, …).
    """
    x, y = pair_of_points(source, target)
    amid = (cloud_masses(source, x) @ x + cloud_masses(target, y) @ y).detach() / 2
    return x - amid, y - amid  # points without weight may be anywhere, and do not count


def centre_batch(source: Batch, target: Batch) -> tuple[Batch, Batch]:
    """Returns the clouds of a batch, each pair less one point amid it.

    Args:
        source: The source clouds, with shape (B, N, D).
        target: The target clouds, with shape (B, M, D).
    """
    shift = -(source.mean() + target.mean()).detach() / 2
    return source.moved(shift), target.moved(shift)
