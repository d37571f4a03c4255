"""Estimators of the discrepancy of two laws from points with masses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Kernel
from otae.reductions import in_transform, precise

Estimator: TypeAlias = Literal["unbiased", "biased"]


def biased(mean: Tensor, _masses: Tensor, _diagonal: Tensor | float) -> Tensor:
    r"""Returns the mean of a kernel over pairs of one cloud, each point with itself included, a scalar.

    $$\sum_{ij} a_i a_j k_{ij}$$

    Args:
        mean: That mean, a scalar.
    """
    return mean


def unbiased(mean: Tensor, a: Tensor, diagonal: Tensor | float) -> Tensor:
    r"""Returns the mean of a kernel over pairs of distinct points of one cloud, a scalar.

    $$\frac{\sum_{i \ne j} a_i a_j k_{ij}}{\sum_{i \ne j} a_i a_j}
    = \frac{\sum_{ij} a_i a_j k_{ij} - \sum_i a_i^2 k_{ii}}{1 - \sum_i a_i^2}$$

    Each pair of independent draws has the expectation sought, so every convex combination of pairs has it, too, for any
    masses that do not depend on the points. With uniform masses this is the U-statistic, with factor 1 / (N (N - 1)).

    Args:
        mean: The mean over all pairs, each point with itself included, a scalar; or with shape (B,), of a batch.
        a: The masses, with shape (N,), of sum 1, at least two of them positive; or (B, N).
        diagonal: The kernel of each point with itself, with shape (N,) or (B, N), or a number for all.
    """
    squares = a.square()
    return (mean - (squares * diagonal).sum(-1)) / (1 - squares.sum(-1))


ESTIMATORS: dict[Estimator, Callable[[Tensor, Tensor, Tensor | float], Tensor]] = {
    "unbiased": unbiased,
    "biased": biased,
}


def points_with_mass(cloud: Cloud, side: str, estimator: Estimator) -> tuple[Tensor, Tensor]:
    """Returns the points, with shape (N, D), and their masses, with shape (N,) and sum 1.

    Args:
        cloud: A cloud, with shape (N, …).
        side: What the cloud is, for messages.
        estimator: The estimator that they are for.

    Raises:
        CloudError: If the unbiased estimator meets a cloud with fewer than two points.
    """
    x = precise(cloud.flat)
    count = len(x) if cloud.weights is None else int((cloud.weights > 0).sum())
    if estimator == "unbiased" and count < 2:
        raise CloudError(
            f"The unbiased estimator averages over pairs of distinct points, but the {side} has 1 point with mass. "
            "Use a batch size of at least 2 (and drop a last batch of 1), or set estimator: biased."
        )
    if cloud.weights is None:
        return x, x.new_full((1,), 1 / len(x)).expand(len(x))  # a stride of 0 says that all masses are equal
    weights = cloud.weights.to(x.dtype)  # some may be 0, where a gradient to them may be asked for
    return x, weights / weights.sum()


def fix_on_mass(kernel: Kernel, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Kernel:
    """Returns a kernel with the lengths that it has between the points of two clouds that have mass.

    Args:
        kernel: The kernel.
        source: Points with shape (N, D), and their masses with shape (N,).
        target: Points with shape (M, D), and their masses with shape (M,).
    """
    (x, a), (y, b) = source, target
    if in_transform():
        return kernel.fix(x, y)
    return kernel.fix(*(points if _is_uniform(masses) else points[masses > 0] for points, masses in ((x, a), (y, b))))


def _is_uniform(masses: Tensor) -> bool:
    return masses.stride(0) == 0  # as `points_with_mass` makes them
