"""The bootstrap of metrics: agreement with SciPy and with theory, coverage, and what it does where there is little."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor

from otae_metrics.bootstrap import bootstrap, bootstraps, halves, interval


def mean(x: Tensor) -> float:
    return float(x.mean())


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    x = torch.randn(400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found, width = bootstrap(mean, x, seed=1, count=2_000), 1.96 * float(x.std()) / 20
    assert float(found) == mean(x)
    assert (found.low, found.high) == pytest.approx((mean(x) - width, mean(x) + width), abs=0.1 * width)


def test_the_interval_agrees_with_scipy() -> None:
    x = torch.rand(60, generator=torch.Generator().manual_seed(0), dtype=torch.float64).square()
    found = bootstrap(lambda x: float(x.std(correction=0)), x, seed=0, count=4_000)
    known = scipy.stats.bootstrap((x.numpy(),), np.std, method="percentile", n_resamples=4_000, rng=0)
    low, high = known.confidence_interval
    shift = float(found) - np.mean(known.bootstrap_distribution)
    assert (found.low, found.high) == pytest.approx((low + shift, high + shift), rel=0.02)


@pytest.mark.slow
def test_an_interval_of_95_percent_covers_the_truth_about_so_often() -> None:
    generator = torch.Generator().manual_seed(0)
    covered = [
        found.low <= 0.5 <= found.high
        for seed in range(200)
        if (found := bootstrap(mean, torch.rand(50, generator=generator), seed=seed))
    ]
    assert 0.90 <= np.mean(covered) <= 0.99


def test_a_bias_of_drawing_twice_does_not_move_the_interval() -> None:
    x = torch.randn(80, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def nearest(x: Tensor) -> float:  # twice the same sample is at distance 0
        gaps = torch.cdist(x, x).fill_diagonal_(math.inf)
        return float(gaps.min(1).values.mean())

    found = bootstrap(nearest, x, seed=0)
    assert found.low < float(found) < found.high


def test_paired_arrays_are_drawn_together_and_others_by_themselves() -> None:
    x = torch.randn(50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gap = bootstrap(lambda x, y: mean(x - y), x, x, seed=0)
    assert (gap.low, gap.high) == (0, 0)
    apart = bootstrap(lambda x, y: float(x.mean() - y.mean()), x, x[:20], seed=0, paired=False)
    assert apart.high - apart.low > 0.3


def test_statistics_of_one_call_come_from_the_same_draws_and_obey_the_seed() -> None:
    x = torch.randn(50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = bootstraps(lambda x: {"mean": mean(x), "less": mean(x) - 1}, x, seed=3)
    assert found["less"].low == pytest.approx(found["mean"].low - 1)
    assert found["mean"].low == bootstrap(mean, x, seed=3).low != bootstrap(mean, x, seed=4).low


@pytest.mark.parametrize("replicates", [[], [1.0] * 9, [math.nan] * 100])
def test_too_few_replicates_give_no_interval_of_chance(replicates: list[float]) -> None:
    found = interval(2.0, replicates)
    assert (float(found), found.low, found.high) == (2, 2, 2)


def test_replicates_that_are_not_finite_do_not_count() -> None:
    replicates = torch.linspace(0, 1, 101).tolist()
    found = interval(0.5, [*replicates, math.nan, math.inf])
    assert (found.low, found.high) == pytest.approx((0.025, 0.975), abs=1e-6)


@pytest.mark.parametrize("count", [30, 1_000])
def test_halves_spread_as_the_whole_does(count: int) -> None:
    x = torch.randn(400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found, width = halves(mean, x, seed=1, count=count), 1.96 * float(x.std()) / 20
    assert float(found) == mean(x)
    assert (found.low, found.high) == pytest.approx((mean(x) - width, mean(x) + width), abs=0.25 * width)


def test_halves_hold_no_sample_twice() -> None:
    found = halves(lambda x: float(len(x.unique())), torch.arange(31.0), seed=0)
    assert (float(found), found.low, found.high) == (31, 31, 31)  # 16 of them each time
