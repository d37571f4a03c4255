"""Statistics over seeds: means with intervals, paired tests, and ranks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..interfaces.figures import Better

Seeds = Mapping[int, float]


@dataclass(frozen=True)
class Spread:
    """Holds the mean of a figure over seeds, and how it spreads.

    Args:
        mean: The mean.
        sd: The standard deviation, of the sample (n − 1); 0 for one seed.
        low: The lower end of the 95 % interval of the mean, by Student's t; the mean itself for one seed.
        high: The upper end.
        count: The number of seeds.
    """

    mean: float
    sd: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Returns the mean and spread of values.

        Args:
            values: One value for each seed, at least one.

        Examples:
            >>> Spread.of([1.0, 2.0, 3.0])
            Spread(mean=2.0, sd=1.0, low=-0.48..., high=4.48..., count=3)
        """
        count, mean = len(values), math.fsum(values) / len(values)
        if count == 1:
            return cls(mean, 0.0, mean, mean, 1)
        sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
        reach = float(stats.t.ppf(0.975, count - 1)) * sd / math.sqrt(count)
        return cls(mean, sd, mean - reach, mean + reach, count)


def compare_pairs(first: Seeds, second: Seeds) -> float | None:
    """Returns the two-sided p-value of a paired t-test over the seeds that both have; `None` for fewer than two.

    Args:
        first: A figure by seed.
        second: The same figure of another variant, by seed.
    """
    shared = sorted(set(first) & set(second))
    if len(shared) < 2:
        return None
    gaps = np.array([first[seed] - second[seed] for seed in shared])
    error = gaps.std(ddof=1) / math.sqrt(len(gaps))
    if error == 0:  # the same gap for every seed: no doubt is left, unless the gap is none
        return 0.0 if gaps.any() else 1.0
    return float(2 * stats.t.sf(abs(gaps.mean()) / error, len(gaps) - 1))


def adjust(p_values: Sequence[float | None]) -> list[float | None]:
    """Returns p-values adjusted for their number by Holm's method; those that are `None` stay so and do not count.

    Args:
        p_values: The p-values.

    Examples:
        >>> adjust([0.01, None, 0.04])
        [0.02, None, 0.04]
    """
    known = sorted((value, place) for place, value in enumerate(p_values) if value is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (value, place) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * value))
        adjusted[place] = largest
    return adjusted


def mean_ranks(variants: Sequence[Seeds], better: Better) -> list[float | None]:
    """Returns the mean rank of each variant over the seeds that all have, 1 for the best; ties share their mean rank.

    Args:
        variants: A figure by seed, for each variant.
        better: Whether lower or higher is better; there are no ranks for `none`.

    Examples:
        >>> mean_ranks([{0: 0.1, 1: 0.3}, {0: 0.2, 1: 0.2}], "lower")
        [1.5, 1.5]
    """
    given = [place for place, variant in enumerate(variants) if variant]
    shared = sorted(set.intersection(*(set(variants[place]) for place in given))) if given else []
    ranks: list[float | None] = [None] * len(variants)
    if better == "none" or not shared or len(given) < 2:
        return ranks
    table = np.array([[variants[place][seed] for seed in shared] for place in given])
    means = stats.rankdata(table if better == "lower" else -table, axis=0).mean(axis=1)
    for place, mean in zip(given, means.tolist(), strict=True):
        ranks[place] = mean
    return ranks
