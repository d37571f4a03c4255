"""The clouds and laws that costs are tested on."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from ..cloud import Cloud


def cloud_of(
    points: Tensor, shapes: tuple[tuple[int, ...], ...], weights: Tensor | None, law: Distribution | None
) -> Cloud:
    """Returns flat points as a cloud with members of some shapes; the first of several bears the weights."""
    sizes = [math.prod(shape) for shape in shapes]
    members = [part.reshape(-1, *shape) for part, shape in zip(torch.split(points, sizes, dim=1), shapes, strict=True)]
    first, *others = members
    return Cloud(first, weights, law) if not others else Cloud.joint(Cloud(first, weights), *map(Cloud, others))


def normal_law(means: Tensor) -> Distribution:
    """Returns normal laws whose means and variances both depend on a tensor, with event shape its last dimension."""
    return Independent(Normal(means, (means / 4).exp()), 1)


def gradients(value: Tensor, *inputs: Tensor) -> list[Tensor]:
    """Returns the gradients of a value, leaving out inputs that it does not depend on."""
    found = torch.autograd.grad(value, inputs, allow_unused=True)
    return [gradient for gradient in found if gradient is not None]
