"""Functions of the squared distance, each with its slope, and the random frequencies that it is the mean of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from otae.interfaces import split_count
from otae.reductions import Radial, safe_exp, safe_power, safe_sqrt

_SLACK = 8.0  # how far above the least normal number exponentials stop, as an exponent, so that weights can shrink them


@dataclass(frozen=True, eq=False)
class Exponential(Radial):
    r"""Holds the kernel $\exp(-r \|x - y\|^2)$.

    Args:
        rate: The rate r, in units of 1 / squared length; a number, or a tensor of one, or of one for each of a batch.
    """

    rate: float | Tensor

    def of(self, squared: Any) -> Any:
        return safe_exp(squared * -self.rate)

    def differentiate(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        values = _exponential(squared.mul_(-self.rate))
        return values, values * -self.rate

    @property
    def has_frequencies(self) -> bool:
        return True

    def draw_frequencies(self, count: int, like: Tensor, generator: Generator | None = None) -> Tensor:
        return (2 * self.rate) ** 0.5 * draw_normal(like.shape[-1], count, like, generator)


@dataclass(frozen=True, eq=False)
class RootExponential(Radial):
    r"""Holds the kernel $\exp(-r \|x - y\|)$.

    Args:
        rate: The rate r, in units of 1 / length; a number, or a tensor of one, or of one for each of a batch.
    """

    rate: float | Tensor

    def of(self, squared: Any) -> Any:
        return safe_exp(safe_sqrt(squared) * -self.rate)

    def differentiate(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        roots = squared.sqrt()
        slopes = _slope_of_root(roots, squared)
        values = _exponential(roots.mul_(-self.rate))
        return values, slopes.mul_(values).mul_(-self.rate)

    @property
    def has_frequencies(self) -> bool:
        return True

    def draw_frequencies(self, count: int, like: Tensor, generator: Generator | None = None) -> Tensor:
        sizes = draw_normal(1, count, like, generator).abs().clamp_min(torch.finfo(like.dtype).tiny ** 0.5)
        return self.rate / sizes * draw_normal(like.shape[-1], count, like, generator)


@dataclass(frozen=True)
class NegativeRoot(Radial):
    r"""Holds the kernel $-\|x - y\|$ of the energy distance, which has no length of its own."""

    conditional: ClassVar[bool] = True

    def of(self, squared: Any) -> Any:
        return -safe_sqrt(squared)

    def differentiate(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        roots = squared.sqrt()
        slopes = _slope_of_root(roots, squared)
        return roots.neg_(), slopes.neg_()


@dataclass(frozen=True, eq=False)
class InversePower(Radial):
    r"""Holds the kernel $(1 + r \|x - y\|^2 / \alpha)^{-\alpha}$, a mixture of Gaussians of all lengths.

    Args:
        rate: The rate r, in units of 1 / squared length; a number, or a tensor of one, or of one for each of a batch.
        alpha: The exponent α.
    """

    rate: float | Tensor
    alpha: float

    def of(self, squared: Any) -> Any:
        return safe_power(1 / (squared * (self.rate / self.alpha) + 1), self.alpha)

    def differentiate(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        bases = squared.mul_(self.rate / self.alpha).add_(1)
        values = bases.pow(-self.alpha)
        return values, torch.div(values, bases, out=bases).mul_(-self.rate)

    @property
    def has_frequencies(self) -> bool:
        return True

    def draw_frequencies(self, count: int, like: Tensor, generator: Generator | None = None) -> Tensor:
        precisions = torch._standard_gamma(like.new_full((count,), self.alpha), generator=generator) / self.alpha
        return (2 * self.rate * precisions).sqrt() * draw_normal(like.shape[-1], count, like, generator)


@dataclass(frozen=True)
class Inverses(Radial):
    r"""Holds the kernel $\sum_C C / (C + \|x - y\|^2)$.

    Args:
        constants: The constants C, squared lengths.
    """

    constants: tuple[float, ...]

    def of(self, squared: Any) -> Any:
        first, *others = self.constants
        total = first / (squared + first)
        for constant in others:
            total = total + constant / (squared + constant)
        return total

    def differentiate(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        values, slopes, inverses = torch.zeros_like(squared), torch.zeros_like(squared), torch.empty_like(squared)
        for constant in self.constants:
            torch.add(squared, constant, out=inverses).reciprocal_()
            values.add_(inverses, alpha=constant)
            slopes.addcmul_(inverses, inverses, value=-constant)
        return values, slopes

    @property
    def has_frequencies(self) -> bool:
        return True

    def draw_frequencies(self, count: int, like: Tensor, generator: Generator | None = None) -> Tensor:
        counts = split_count(count, [1.0] * len(self.constants), like, generator)
        rates = (2 / like.new_tensor(self.constants)).repeat_interleave(torch.tensor(counts, device=like.device))
        precisions = torch._standard_gamma(like.new_ones(count), generator=generator)
        return (rates * precisions).sqrt() * draw_normal(like.shape[-1], count, like, generator)


@dataclass(frozen=True, eq=False)
class Mixture(Radial):
    r"""Holds the kernel $\sum_m w_m k_m$.

    Args:
        kernels: The kernels.
        weights: The weight of each.
    """

    kernels: Sequence[Radial]
    weights: Sequence[float]

    def of(self, squared: Any) -> Any:
        total, *others = (
            kernel.of(squared) * weight for kernel, weight in zip(self.kernels, self.weights, strict=True)
        )
        for other in others:
            total = total + other
        return total

    def differentiate(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        values, slopes = torch.zeros_like(squared), torch.zeros_like(squared)
        for kernel, weight in zip(self.kernels, self.weights, strict=True):
            value, slope = kernel.differentiate(squared.clone())
            values.add_(value, alpha=weight)
            slopes.add_(slope, alpha=weight)
        return values, slopes

    @property
    def has_frequencies(self) -> bool:
        return all(kernel.has_frequencies for kernel in self.kernels)

    def draw_frequencies(self, count: int, like: Tensor, generator: Generator | None = None) -> Tensor:
        terms = zip(self.kernels, self.weights, strict=True)
        shares = [weight * float(kernel.at_zero(like).flatten()[0]) for kernel, weight in terms]  # whatever the lengths
        counts = split_count(count, shares, like, generator)
        pairs = zip(self.kernels, counts, strict=True)
        waves = [kernel.draw_frequencies(size, like, generator) for kernel, size in pairs]
        batch = max((each.shape[:-2] for each in waves), key=len)  # of those with a length for each of a batch
        return torch.cat([each.expand(*batch, *each.shape[-2:]) for each in waves], -1)


def mix(kernels: Sequence[Radial], weights: Sequence[float] | None = None) -> Radial:
    """Returns a weighted sum of radial kernels as one, which is computed in one pass.

    Args:
        kernels: The kernels.
        weights: The weight of each; 1 where `None`.
    """
    weights = [1.0] * len(kernels) if weights is None else weights
    return kernels[0] if list(weights) == [1.0] else Mixture(kernels, weights)


def draw_normal(rows: int, columns: int, like: Tensor, generator: Generator | None) -> Tensor:
    """Returns standard normal numbers, with shape (rows, columns).

    Args:
        rows: The number of rows.
        columns: The number of columns.
        like: A tensor with the type and the device to have.
        generator: The source of randomness; torch's own where `None`.
    """
    return torch.randn(rows, columns, generator=generator, dtype=like.dtype, device=like.device)


def _exponential(exponents: Tensor) -> Tensor:
    floor = math.log(torch.finfo(exponents.dtype).tiny) + _SLACK
    return exponents.clamp_min_(floor).exp_()


def _slope_of_root(roots: Tensor, squared: Tensor) -> Tensor:
    """Returns half the inverse of the roots, 0 where they are 0; the squares are written over."""
    return torch.div(roots, squared.clamp_min_(torch.finfo(squared.dtype).tiny), out=squared).mul_(0.5)
