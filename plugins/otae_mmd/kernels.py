"""Radial kernels: functions of the squared distance, each with its slope."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from otae.reductions import safe_exp, safe_power, safe_sqrt

_SLACK = 8.0  # how far above the least normal number exponentials stop, as an exponent, so that weights can shrink them


class Radial(ABC):
    """Creates a kernel of two points that depends on their squared distance alone."""

    @abstractmethod
    def __call__(self, squared: Any) -> Any:
        """Returns the kernel of each pair, with gradients of every order.

        Args:
            squared: The squared distances, with any shape; a tensor, or a LazyTensor of KeOps.
        """

    @abstractmethod
    def sloped(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the kernel of each pair and its derivative by the squared distance, both without gradients.

        Where a kernel has a cusp at 0, the derivative there is 0.

        Args:
            squared: The squared distances, with any shape; their memory may be written over.
        """

    def at_zero(self, like: Tensor) -> Tensor:
        """Returns the kernel of a point with itself, a scalar.

        Args:
            like: A tensor with the type and the device to use.
        """
        value: Tensor = self(like.new_zeros(()))
        return value


@dataclass(frozen=True, eq=False)
class Gaussian(Radial):
    r"""Creates the kernel $\exp(-r \|x - y\|^2)$.

    Args:
        rate: The rate r, in units of 1 / squared length; a number, or a scalar tensor.
    """

    rate: float | Tensor

    def __call__(self, squared: Any) -> Any:
        return safe_exp(squared * -self.rate)

    def sloped(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        values = _exponential(squared.mul_(-self.rate))
        return values, values * -self.rate


@dataclass(frozen=True, eq=False)
class Laplacian(Radial):
    r"""Creates the kernel $\exp(-r \|x - y\|)$.

    Args:
        rate: The rate r, in units of 1 / length; a number, or a scalar tensor.
    """

    rate: float | Tensor

    def __call__(self, squared: Any) -> Any:
        return safe_exp(safe_sqrt(squared) * -self.rate)

    def sloped(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        roots = squared.sqrt()
        slopes = _slope_of_root(roots, squared)
        values = _exponential(roots.mul_(-self.rate))
        return values, slopes.mul_(values).mul_(-self.rate)


@dataclass(frozen=True)
class Energy(Radial):
    r"""Creates the kernel $-\|x - y\|$ of the energy distance, which has no length of its own."""

    def __call__(self, squared: Any) -> Any:
        return -safe_sqrt(squared)

    def sloped(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        roots = squared.sqrt()
        slopes = _slope_of_root(roots, squared)
        return roots.neg_(), slopes.neg_()


@dataclass(frozen=True, eq=False)
class RationalQuadratic(Radial):
    r"""Creates the kernel $(1 + r \|x - y\|^2 / \alpha)^{-\alpha}$, a mixture of Gaussians of all lengths.

    Args:
        rate: The rate r, in units of 1 / squared length; a number, or a scalar tensor.
        alpha: The exponent α.
    """

    rate: float | Tensor
    alpha: float

    def __call__(self, squared: Any) -> Any:
        return safe_power(1 / (squared * (self.rate / self.alpha) + 1), self.alpha)

    def sloped(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        bases = squared.mul_(self.rate / self.alpha).add_(1)
        values = bases.pow(-self.alpha)
        return values, torch.div(values, bases, out=bases).mul_(-self.rate)


@dataclass(frozen=True)
class InverseMultiquadric(Radial):
    r"""Creates the kernel $\sum_C C / (C + \|x - y\|^2)$.

    Args:
        constants: The constants C, squared lengths.
    """

    constants: tuple[float, ...]

    def __call__(self, squared: Any) -> Any:
        first, *others = self.constants
        total = first / (squared + first)
        for constant in others:
            total = total + constant / (squared + constant)
        return total

    def sloped(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        values, slopes, inverses = torch.zeros_like(squared), torch.zeros_like(squared), torch.empty_like(squared)
        for constant in self.constants:
            torch.add(squared, constant, out=inverses).reciprocal_()
            values.add_(inverses, alpha=constant)
            slopes.addcmul_(inverses, inverses, value=-constant)
        return values, slopes


@dataclass(frozen=True, eq=False)
class Mixture(Radial):
    r"""Creates the kernel $\sum_m w_m k_m$.

    Args:
        kernels: The kernels.
        weights: The weight of each.
    """

    kernels: Sequence[Radial]
    weights: Sequence[float]

    def __call__(self, squared: Any) -> Any:
        total, *others = (kernel(squared) * weight for kernel, weight in zip(self.kernels, self.weights, strict=True))
        for other in others:
            total = total + other
        return total

    def sloped(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        values, slopes = torch.zeros_like(squared), torch.zeros_like(squared)
        for kernel, weight in zip(self.kernels, self.weights, strict=True):
            value, slope = kernel.sloped(squared.clone())
            values.add_(value, alpha=weight)
            slopes.add_(slope, alpha=weight)
        return values, slopes


def _exponential(exponents: Tensor) -> Tensor:
    floor = math.log(torch.finfo(exponents.dtype).tiny) + _SLACK
    return exponents.clamp_min_(floor).exp_()


def _slope_of_root(roots: Tensor, squared: Tensor) -> Tensor:
    """Returns half the inverse of the roots, 0 where they are 0; the squares are written over."""
    return torch.div(roots, squared.clamp_min_(torch.finfo(squared.dtype).tiny), out=squared).mul_(0.5)
