"""Kernels as functions of squared distances, and what they may take their length from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor

Kernel: TypeAlias = Callable[[Tensor], Tensor]  # squared distances -> similarities, entry by entry


@dataclass(frozen=True, eq=False)
class Pairs:
    """Creates the squared distances within and between two clouds.

    Args:
        source: Those within the source, with shape (N, N).
        target: Those within the target, with shape (M, M).
        between: Those from the source to the target, with shape (N, M).
        dim: The number of entries of a point.
    """

    source: Tensor
    target: Tensor
    between: Tensor
    dim: int

    @property
    def median(self) -> Tensor:
        """Returns the median squared distance of pairs of points that differ, a scalar cut from the graph; else 1."""
        once = [self.source.triu(), self.target.triu(), self.between]
        squared = torch.cat([block.detach().flatten() for block in once])
        return squared.masked_fill(squared == 0, torch.nan).nanmedian().nan_to_num(1.0)


@dataclass(frozen=True)
class Lengths:
    """Creates the lengths that kernels are built from; each kernel reads its own.

    Args:
        variance: The variance of the prior in each dimension.
        scales: The factors of a kernel that is a sum over scales.
        bandwidth: The distance over which a kernel of one scale falls off, or its rule.
    """

    variance: float
    scales: tuple[float, ...]
    bandwidth: float | Literal["median"]


def imq(pairs: Pairs, lengths: Lengths) -> Kernel:
    r"""Returns the inverse multiquadratic kernel, summed over scales.

    $$k = \sum_s \frac{Cs}{Cs + \|x - y\|^2}, \qquad C = 2 D \sigma^2$$

    Args:
        pairs: The squared distances, for the dimension D.
        lengths: The lengths, for σ² and the scales s.
    """
    constants = [2 * pairs.dim * lengths.variance * scale for scale in lengths.scales]

    def kernel(squared: Tensor) -> Tensor:
        total = torch.zeros_like(squared)
        for constant in constants:
            total = total.add((squared + constant).reciprocal(), alpha=constant)
        return total

    return kernel


def gaussian(pairs: Pairs, lengths: Lengths) -> Kernel:
    r"""Returns the Gaussian kernel.

    $$k = \exp\left(-\frac{\|x - y\|^2}{2 h^2}\right)$$

    Args:
        pairs: The squared distances, for the median rule.
        lengths: The lengths, for the bandwidth h.
    """
    square = pairs.median if lengths.bandwidth == "median" else lengths.bandwidth**2
    return lambda squared: (squared / (-2 * square)).exp()


KERNELS: dict[str, Callable[[Pairs, Lengths], Kernel]] = {"imq": imq, "gaussian": gaussian}
