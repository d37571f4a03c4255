"""The uniform law on a spherical shell."""

from __future__ import annotations

from math import lgamma, log, pi
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.distributions.constraints import Constraint
from torch.nn import functional as F


class Shell(Distribution):
    r"""Creates the uniform law between two spheres around the origin of $\mathbb{R}^d$.

    $$p(z) = \frac{\Gamma(d/2 + 1)}{\pi^{d/2} \, (R^d - r^d)} \quad \text{for } r \le \|z\| \le R$$

    Args:
        zero: The origin, with shape (d,), in the type and on the device of the law.
        outer: The outer radius R.
        ratio: The ratio r / R of the radii, in [0, 1).

    Examples:
        >>> round(Shell(torch.zeros(2), outer=1.0, ratio=0.0).log_prob(torch.zeros(2)).exp().item(), 4)  # 1 / pi
        0.3183
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {}
    support = constraints.real_vector

    def __init__(self, zero: Tensor, outer: float, ratio: float) -> None:
        self.zero, self.outer, self.ratio = zero, outer, ratio
        super().__init__(torch.Size(), zero.shape, validate_args=False)

    @property
    def mean(self) -> Tensor:
        return self.zero

    @property
    def variance(self) -> Tensor:
        return self.zero + self.outer**2 * unit_variance(len(self.zero), self.ratio)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = torch.Size(sample_shape)
        directions, shares = self.zero.new_empty(shape + self.zero.shape), self.zero.new_empty(shape)
        return self.place(directions.normal_(), shares.uniform_())

    def place(self, normal: Tensor, uniform: Tensor) -> Tensor:
        """Returns draws made of noise, with the shape of the normal noise.

        Args:
            normal: Standard normal noise, the directions, with shape (…, d).
            uniform: Uniform noise on [0, 1), the shares of the volume inside of a draw, with shape (…).
        """
        size = len(self.zero)
        hollow = self.ratio**size
        radii = self.outer * (hollow + (1 - hollow) * uniform).pow(1 / size)
        return radii[..., None] * F.normalize(normal, dim=-1)

    def log_prob(self, value: Tensor) -> Tensor:
        size, radii = len(self.zero), value.norm(dim=-1)
        ball = size / 2 * log(pi) - lgamma(size / 2 + 1) + size * log(self.outer)
        slack = 8 * torch.finfo(value.dtype).eps * self.outer  # a draw may round out of the shell
        inside = (radii >= self.ratio * self.outer - slack) & (radii <= self.outer + slack)
        return torch.where(inside, -ball - log(1 - self.ratio**size), -torch.inf).to(value.dtype)

    def entropy(self) -> Tensor:
        return -self.log_prob(F.one_hot(torch.tensor(0), len(self.zero)).to(self.zero) * self.outer)


def unit_variance(size: int, ratio: float) -> float:
    r"""Returns the variance of each dimension of the uniform law on a shell of outer radius 1.

    $$\frac{1}{d + 2} \cdot \frac{1 - \rho^{d + 2}}{1 - \rho^d}$$

    Args:
        size: The number d of dimensions.
        ratio: The ratio ρ of the inner radius to the outer one.
    """
    return (1 - ratio ** (size + 2)) / (1 - ratio**size) / (size + 2)
