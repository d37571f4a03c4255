"""Estimators of a kernel's mean over all pairs of points, with masses."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def between(kernel: Tensor, a: Tensor, b: Tensor) -> Tensor:
    r"""Returns the mean over pairs of two clouds, $\sum_{ij} a_i b_j k_{ij}$, a scalar.

    Args:
        kernel: The kernel of all pairs, with shape (N, M).
        a: The masses of the rows, with shape (N,), of sum 1.
        b: The masses of the columns, with shape (M,), of sum 1.
    """
    return ((kernel * b).sum(1) * a).sum()  # sums of products stay in single precision under autocast; a @ does not


def biased(kernel: Tensor, a: Tensor) -> Tensor:
    r"""Returns the mean over pairs of one cloud, each point with itself included, a scalar.

    $$\sum_{ij} a_i a_j k_{ij}$$

    Args:
        kernel: The kernel of all pairs, with shape (N, N).
        a: The masses, with shape (N,), of sum 1.
    """
    return between(kernel, a, a)


def unbiased(kernel: Tensor, a: Tensor) -> Tensor:
    r"""Returns the mean over pairs of distinct points of one cloud, a scalar.

    $$\frac{\sum_{i \ne j} a_i a_j k_{ij}}{\sum_{i \ne j} a_i a_j}
    = \frac{\sum_{ij} a_i a_j k_{ij} - \sum_i a_i^2 k_{ii}}{1 - \sum_i a_i^2}$$

    Each pair of independent draws has the expectation sought, so every convex combination of pairs has it, too, for any
    masses that do not depend on the points. With uniform masses this is the U-statistic, with factor 1 / (N (N - 1)).

    Args:
        kernel: The kernel of all pairs, with shape (N, N).
        a: The masses, with shape (N,), of sum 1, at least two of them positive.
    """
    squares = a.square()
    return (between(kernel, a, a) - (squares * kernel.diagonal()).sum()) / (1 - squares.sum())


ESTIMATORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"unbiased": unbiased, "biased": biased}
