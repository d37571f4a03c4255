"""Intervals for figures of finite samples, by drawing the samples again with replacement."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Generator, Tensor

from otae.interfaces import Estimate

LEVEL = 0.95
_LEAST, _FEW = 10, 40  # from fewer replicates an interval, and the quantiles at its ends, would be chance
_NORMAL = 1.96


def bootstrap(
    statistic: Callable[..., float], *arrays: Tensor, seed: int, count: int = 200, paired: bool = True
) -> Estimate:
    r"""Returns a statistic of samples with its 95 % bootstrap interval.

    With replicates $\theta^*_b$, the statistic of samples drawn again with replacement, and their mean $\bar\theta^*$,
    the interval lies between the quantiles at 2.5 and 97.5 % of

    $$\theta + \theta^*_b - \bar\theta^*$$

    so that a bias which drawing twice the same sample brings, as to distances and entropies, does not move it.

    Args:
        statistic: From arrays of samples to a number.
        arrays: The samples, each with shape (N, …).
        seed: The seed of the draws.
        count: The number of replicates; those in which the statistic is not finite, as where a class is missing, do not
            count, and the interval is the figure itself where too few are left.
        paired: Whether the arrays are drawn together, row by row; else each by itself, as two samples of two laws are.

    References:
        An Introduction to the Bootstrap (Efron and Tibshirani, 1993)
        https://doi.org/10.1201/9780429246593

    Examples:
        >>> mean = bootstrap(lambda x: float(x.mean()), torch.arange(100.0), seed=0)
        >>> float(mean), mean.low < 49.5 < mean.high
        (49.5, True)
    """
    return bootstraps(lambda *drawn: {"statistic": statistic(*drawn)}, *arrays, seed=seed, count=count, paired=paired)[
        "statistic"
    ]


def bootstraps(
    statistics: Callable[..., Mapping[str, float]], *arrays: Tensor, seed: int, count: int = 200, paired: bool = True
) -> dict[str, Estimate]:
    """Returns several statistics of samples, each with its 95 % bootstrap interval, from the same draws.

    Args:
        statistics: From arrays of samples to numbers by name.
        arrays: The samples, each with shape (N, …).
        seed: The seed of the draws.
        count: The number of replicates.
        paired: Whether the arrays are drawn together, row by row.
    """
    values = statistics(*arrays)
    generator = Generator().manual_seed(seed)
    replicates: dict[str, list[float]] = {name: [] for name in values}
    for _ in range(count):
        for name, value in statistics(*_redraw(arrays, paired, generator)).items():
            replicates.setdefault(name, []).append(value)
    return {name: interval(value, replicates[name]) for name, value in values.items()}


def halves(statistic: Callable[..., float], *arrays: Tensor, seed: int, count: int = 40) -> Estimate:
    r"""Returns a statistic of samples with its 95 % interval, from random halves of them, without replacement.

    The statistic of half of the samples spreads about that of all of them as that of all of them does about the truth:
    the variance of a mean over a half is $\frac{\sigma^2}{N/2} (1 - \frac12)$. It is for statistics of neighbours and
    distances, which samples drawn twice would mislead.

    Args:
        statistic: From arrays of samples to a number.
        arrays: The samples, each with shape (N, …), drawn together.
        seed: The seed of the draws.
        count: The number of halves.

    References:
        A General Theory for Jackknife Variance Estimation (Shao and Wu, 1989)
        https://doi.org/10.1214/aos/1176347263
    """
    draws = draw_halves(len(arrays[0]), count, seed)
    return interval(statistic(*arrays), [statistic(*(array[rows] for array in arrays)) for rows in draws])


def draw_halves(size: int, count: int, seed: int) -> list[Tensor]:
    """Returns random halves of samples, as indices.

    Args:
        size: The number of samples; of an odd one, a half has one more than the rest.
        count: The number of halves.
        seed: The seed of the draws.
    """
    generator = Generator().manual_seed(seed)
    return [torch.randperm(size, generator=generator)[: (size + 1) // 2] for _ in range(count)]


def interval(value: float, replicates: list[float]) -> Estimate:
    """Returns a figure with the interval that its replicates span, moved so that their mean is the figure.

    Of fewer than 40 replicates, it is 1.96 standard deviations wide on either side.

    Args:
        value: The figure.
        replicates: The figure of samples drawn again; those that are not finite do not count.
    """
    finite = torch.tensor([each for each in replicates if math.isfinite(each)], dtype=torch.float64)
    if len(finite) < _LEAST:
        return Estimate(value, value, value)
    if len(finite) < _FEW:
        width = _NORMAL * float(finite.std())
        return Estimate(value, value - width, value + width)
    shifts = finite - finite.mean()
    low, high = torch.quantile(shifts, torch.tensor([(1 - LEVEL) / 2, (1 + LEVEL) / 2], dtype=torch.float64)).tolist()
    return Estimate(value, value + low, value + high)


def _redraw(arrays: tuple[Tensor, ...], paired: bool, generator: Generator) -> list[Tensor]:
    if paired:
        rows = torch.randint(len(arrays[0]), (len(arrays[0]),), generator=generator)
        return [array[rows] for array in arrays]
    return [array[torch.randint(len(array), (len(array),), generator=generator)] for array in arrays]
