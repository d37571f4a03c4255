"""Statistics over seeds, against SciPy and cases computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from otae.study.statistics import Spread, adjust, compare_pairs, mean_ranks
from otae.study.wording import write_spread

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9)


@given(VALUES)
def test_the_interval_is_students(values: list[float]) -> None:
    spread = Spread.of(values)
    error = stats.sem(values)
    assert spread.mean == pytest.approx(np.mean(values), abs=1e-9)
    assert spread.sd == pytest.approx(np.std(values, ddof=1), abs=1e-9)
    if error > 1e-6:
        expected = stats.t.interval(0.95, len(values) - 1, np.mean(values), error)
        assert (spread.low, spread.high) == pytest.approx(expected)


def test_one_seed_has_no_spread() -> None:
    assert Spread.of([2.5]) == Spread(2.5, 0.0, 2.5, 2.5, 1)


def test_pairs_are_tested_as_scipy_does_over_the_seeds_that_both_have() -> None:
    first, second = {0: 1.0, 1: 2.5, 2: 2.0, 7: 9.0}, {0: 1.5, 1: 2.6, 2: 2.9, 3: 0.0}
    expected = stats.ttest_rel([1.0, 2.5, 2.0], [1.5, 2.6, 2.9]).pvalue
    assert compare_pairs(first, second) == pytest.approx(expected)
    assert compare_pairs({0: 1.0}, {0: 2.0, 1: 3.0}) is None


def test_a_gap_that_is_the_same_for_every_seed_leaves_no_doubt() -> None:
    assert compare_pairs({0: 1.0, 1: 2.0}, {0: 1.5, 1: 2.5}) == 0.0
    assert compare_pairs({0: 1.0, 1: 2.0}, {0: 1.0, 1: 2.0}) == 1.0


def test_holms_method_by_hand() -> None:
    assert adjust([0.01, 0.04, 0.03, None, 0.005]) == pytest.approx([0.03, 0.06, 0.06, None, 0.02])
    assert adjust([0.9, 0.8]) == [1.0, 1.0]


def test_ranks_are_means_over_seeds_and_ties_share() -> None:
    variants = [{0: 1.0, 1: 5.0}, {0: 2.0, 1: 4.0}, {}, {0: 2.0, 1: 6.0}]
    assert mean_ranks(variants, "lower") == [1.5, 1.75, None, 2.75]
    assert mean_ranks(variants, "higher") == [2.5, 2.25, None, 1.25]
    assert mean_ranks(variants, "none") == [None] * 4
    assert mean_ranks([{0: 1.0}, {1: 1.0}], "lower") == [None, None]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.5], "0.500"),
        ([1234.0], "1234"),
        ([0.51, 0.53], "0.520 ± 0.014"),
        ([0.0, 0.0], "0.00"),
        ([1e-9], "1.00e-09"),
        ([120.0, 180.0], "150 ± 42"),
    ],
)
def test_a_spread_has_the_decimals_that_it_needs(values: list[float], text: str) -> None:
    assert write_spread(Spread.of(values)) == text
