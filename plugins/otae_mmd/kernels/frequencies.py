"""Random frequencies: standard normal ones, and how many of them each part of a sum of kernels has."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from otae.interfaces import Kernel


def draw_normal(rows: int, columns: int, like: Tensor, generator: Generator | None) -> Tensor:
    """Returns standard normal numbers, with shape (rows, columns).

    Args:
        rows: The number of rows.
        columns: The number of columns.
        like: A tensor with the type and the device to have.
        generator: The source of randomness; torch's own where `None`.
    """
    return torch.randn(rows, columns, generator=generator, dtype=like.dtype, device=like.device)


def allocate(shares: Sequence[float], count: int, like: Tensor, generator: Generator | None) -> Tensor:
    """Returns which part each of some places belongs to, in order, with shape (count,): as many as its share, up to one.

    Args:
        shares: The share of each part, of any sum.
        count: The number of places.
        like: A tensor with the type and the device to use.
        generator: The source of randomness, which rounds shares up or down.
    """
    ends = like.new_tensor([share / sum(shares) for share in shares]).cumsum(0)
    start = torch.rand(1, generator=generator, dtype=like.dtype, device=like.device)
    places = (torch.arange(count, dtype=like.dtype, device=like.device) + start) / count
    return torch.searchsorted(ends, places).clamp_max(len(shares) - 1)


def draw_waves(kernel: Kernel, like: Tensor, count: int, generator: Generator | None = None) -> tuple[Tensor, float]:
    r"""Returns frequencies ω, with shape (D, F), of waves whose mean is a kernel, and the kernel of a point with itself.

    $$k(0) \, \mathbb{E} \cos \langle\omega, x - y\rangle = k(x, y)$$

    Args:
        kernel: The kernel, its lengths fixed, of the difference of two points.
        like: Points with the dimension, the type and the device to have, with shape (N, D).
        count: The number of frequencies, F.
        generator: The source of randomness; torch's own where `None`.
    """
    parts = kernel.terms()
    shares = [weight * float(part.diagonal(like[:1])[0]) for weight, part in parts]
    counts = allocate(shares, count, like, generator).bincount(minlength=len(parts)).tolist()
    pairs = zip(parts, counts, strict=True)
    return torch.cat([part.draw_frequencies(size, like, generator) for (_, part), size in pairs], 1), sum(shares)
