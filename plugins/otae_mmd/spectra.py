"""Random frequencies whose waves have kernels for their mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import torch
from torch import Generator, Tensor

from .lengths import Measured

Smooth: TypeAlias = Literal["imq", "gaussian", "laplacian", "rational-quadratic"]
Draws: TypeAlias = Callable[[Measured, Tensor, "Generator | None"], list[Tensor]]


def frequencies(
    weights: Mapping[Smooth, float], lengths: Measured, count: int, generator: Generator | None = None
) -> tuple[Tensor, float]:
    r"""Returns frequencies ω, with shape (D, F), of waves whose mean is a kernel, and the kernel of a point with itself.

    $$k(0) \, \mathbb{E} \cos \langle\omega, x - y\rangle = k(x, y)$$

    The kernels are mixtures of Gaussians, $\mathbb{E} \exp(-\tau \|x - y\|^2 / 2)$ with a random precision τ, so that
    $\omega = \sqrt\tau\, g$ with a standard normal g. Each kernel, and each of its scales, has its share of the frequencies.

    Args:
        weights: The weight of each kernel.
        lengths: The lengths that they are built from.
        count: The number of frequencies, F.
        generator: The source of randomness; torch's own where `None`.
    """
    x = lengths.x
    one = x.new_ones(count)
    parts = [(weight, drawn) for name, weight in weights.items() for drawn in PRECISIONS[name](lengths, one, generator)]
    at_zero = sum(weight for weight, _ in parts)
    ends = x.new_tensor([weight / at_zero for weight, _ in parts]).cumsum(0)
    start = torch.rand(1, generator=generator, dtype=x.dtype, device=x.device)
    places = (torch.arange(count, dtype=x.dtype, device=x.device) + start) / count
    shares = torch.searchsorted(ends, places).clamp_max(len(parts) - 1)
    precisions = torch.stack([drawn for _, drawn in parts]).gather(0, shares[None])  # (1, F)
    normal = torch.randn(x.shape[1], count, generator=generator, dtype=x.dtype, device=x.device)
    return precisions.sqrt() * normal, at_zero


def _imq(lengths: Measured, one: Tensor, generator: Generator | None) -> list[Tensor]:
    return [torch._standard_gamma(one, generator=generator) / square for square in lengths.of_prior]


def _gaussian(lengths: Measured, one: Tensor, _: Generator | None) -> list[Tensor]:
    return [one / square for square in lengths.of_bandwidth]


def _laplacian(lengths: Measured, one: Tensor, generator: Generator | None) -> list[Tensor]:
    normal = torch.randn(one.shape, generator=generator, dtype=one.dtype, device=one.device)
    squares = normal.square().clamp_min(torch.finfo(one.dtype).tiny)
    return [1 / (squares * square) for square in lengths.of_bandwidth]


def _rational_quadratic(lengths: Measured, one: Tensor, generator: Generator | None) -> list[Tensor]:
    gamma = torch._standard_gamma(one * lengths.alpha, generator=generator) / lengths.alpha
    return [gamma / square for square in lengths.of_bandwidth]


PRECISIONS: dict[Smooth, Draws] = {
    "imq": _imq,
    "gaussian": _gaussian,
    "laplacian": _laplacian,
    "rational-quadratic": _rational_quadratic,
}
