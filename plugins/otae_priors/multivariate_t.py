"""The spherical multivariate Student t law."""

from __future__ import annotations

from math import inf, lgamma, log, nan, pi
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.distributions.constraints import Constraint

from .gamma import gamma


class MultivariateT(Distribution):
    r"""Creates the Student t law on $\mathbb{R}^d$ that is symmetric under rotations.

    $$p(z) = \frac{\Gamma((\nu + d)/2)}{\Gamma(\nu/2) \, (\nu \pi s^2)^{d/2}}
    \Big(1 + \frac{\|z\|^2}{\nu s^2}\Big)^{-(\nu + d)/2}$$

    Args:
        zero: The centre, with shape (d,), in the type and on the device of the law.
        df: The degrees of freedom ν.
        scale: The scale s.

    Examples:
        >>> round(MultivariateT(torch.zeros(1), df=1.0, scale=1.0).log_prob(torch.zeros(1)).exp().item(), 4)  # 1 / pi
        0.3183
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {}
    support = constraints.real_vector

    def __init__(self, zero: Tensor, df: float, scale: float) -> None:
        self.zero, self.df, self.scale = zero, df, scale
        super().__init__(torch.Size(), zero.shape, validate_args=False)

    @property
    def mean(self) -> Tensor:
        return self.zero if self.df > 1 else self.zero + nan

    @property
    def variance(self) -> Tensor:
        if self.df <= 1:
            return self.zero + nan
        return self.zero + (self.scale**2 * self.df / (self.df - 2) if self.df > 2 else inf)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = torch.Size(sample_shape)
        normal = self.zero.new_empty(shape + self.zero.shape).normal_()
        return self.place(normal, gamma(self.zero.new_full(shape, self.df / 2)))

    def place(self, normal: Tensor, halves: Tensor) -> Tensor:
        """Returns draws made of noise, with the shape of the normal noise.

        Args:
            normal: Standard normal noise, with shape (…, d).
            halves: Draws from a gamma law of concentration ν/2, halves of a χ², with shape (…).
        """
        return self.scale * normal * (self.df / (2 * halves)).sqrt()[..., None]

    def log_prob(self, value: Tensor) -> Tensor:
        d, df = len(self.zero), self.df
        constant = lgamma((df + d) / 2) - lgamma(df / 2) - d / 2 * log(df * pi * self.scale**2)
        return constant - (df + d) / 2 * torch.log1p((value / self.scale).square().sum(-1) / df)
