"""Codes and data in one order, and the intervals of figures that are means over pairs of samples."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from otae.interfaces import Estimate

from .bootstrap import interval
from .linear import vectors
from .order import canonical
from .subset import subset

_HALVES = 200


def matched(codes: Tensor, data: Tensor, limit: int, seed: int) -> tuple[Tensor, Tensor]:
    """Returns codes and data as vectors, at most `limit` pairs of them by seed; their order depends on them alone.

    Args:
        codes: The codes, with shape (N, D).
        data: Their samples, with shape (N, …).
        limit: The largest number of pairs.
        seed: The seed of the choice.
    """
    chosen = subset(codes, limit, seed, matrices=2)
    points = vectors(codes[chosen]), vectors(data[chosen])
    order = canonical(torch.cat(points, dim=1))
    return points[0][order], points[1][order]


def pair_interval(value: float, figure: Callable[[Tensor], Tensor], matrices: list[Tensor], seed: int) -> Estimate:
    """Returns a figure with its 95 % interval, where it is a function of means over all pairs of different samples.

    The interval comes from halves of the samples, of each the pairs within.

    Args:
        value: The figure.
        figure: From the means, with shape (halves, K), to the figure, with shape (halves,).
        matrices: What is meant over pairs, K matrices with shape (N, N) and a diagonal of 0.
        seed: The seed of the halves.
    """
    size, generator = len(matrices[0]), Generator().manual_seed(seed)
    half = (size + 1) // 2
    kept = torch.zeros(_HALVES, size, dtype=matrices[0].dtype)
    for row in kept:
        row[torch.randperm(size, generator=generator)[:half]] = 1
    means = [((kept @ matrix) * kept).sum(1) / (half * (half - 1)) for matrix in matrices]
    return interval(value, figure(torch.stack(means, dim=1)).tolist())
