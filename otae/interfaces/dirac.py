"""The law of a deterministic encoder: all mass on one point."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.distributions.constraints import Constraint


class Dirac(Distribution):
    """Creates the distribution that puts all mass on a point; it has a mean and samples, but no density.

    Args:
        points: The points, with shape (N, D): N laws over vectors of D entries.

    Examples:
        >>> Dirac(torch.ones(2, 3)).rsample().sum().item()
        6.0
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"points": constraints.real_vector}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, points: Tensor) -> None:
        self.points = points
        super().__init__(points.shape[:-1], points.shape[-1:], validate_args=False)

    @property
    def mean(self) -> Tensor:
        return self.points

    @property
    def variance(self) -> Tensor:
        return torch.zeros_like(self.points)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.points.expand(torch.Size(sample_shape) + self.points.shape)
