"""The metrics: closed forms, invariances and agreement with SciPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from otae.interfaces import Specimen
from otae.testing import MetricSuite
from otae_metrics import Distortion, PriorMMD
from otae_metrics.distortion import best_scale, correlation
from otae_metrics.subset import subset

LENGTHS = st.floats(0, 5, width=32, allow_subnormal=False)


class TestDistortion(MetricSuite):
    plugin = Distortion
    perfect = {
        "correlation": 1.0,
        "distortion": 0.0,
        "generation_correlation": 1.0,
        "generation_distortion": 0.0,
    }


class TestPriorMMD(MetricSuite):
    plugin = PriorMMD


def draws(count: int, size: int, seed: int = 0) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def specimen(data: Tensor, codes: Tensor, reconstructions: Tensor | None = None) -> Specimen:
    approximations = data if reconstructions is None else reconstructions
    return Specimen(data, codes, approximations, data, codes, train=data)


def test_similar_clouds_have_correlation_1_and_no_distortion() -> None:
    codes = draws(40, 3)
    turned = 7 * codes @ torch.linalg.qr(draws(3, 3, 1)).Q + 2
    figures = Distortion()(specimen(turned, codes))
    assert figures["correlation"] == pytest.approx(1)
    assert figures["distortion"] == pytest.approx(0, abs=1e-9)


def test_independent_clouds_have_correlation_0() -> None:
    assert Distortion()(specimen(draws(800, 5), draws(800, 5, 1)))["correlation"] == pytest.approx(0, abs=0.05)


def test_the_distortion_of_three_points_is_known() -> None:
    codes, data = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.0], [2.0], [4.0]])
    figures = Distortion()(specimen(data, codes))  # distances 1, 3, 2 and 2, 4, 2: the best scale is 4/3
    assert figures["distortion"] == pytest.approx((2 / 3 + 0 + 2 / 3) / 8)
    assert figures["correlation"] == pytest.approx(np.corrcoef([1, 3, 2], [2, 4, 2])[0, 1])


def test_figures_that_are_undefined_are_left_out() -> None:
    one, equal = draws(1, 3), torch.ones(9, 4)
    assert Distortion()(Specimen(one, one, one, one, one, one)) == {}
    assert Distortion()(specimen(equal, draws(9, 2))) == {"correlation": 0.0, "generation_correlation": 0.0}


@given(st.lists(st.tuples(LENGTHS, LENGTHS), min_size=1, max_size=12), st.floats(0, 10))
def test_no_scale_is_better_than_the_best_one(pairs: list[tuple[float, float]], other: float) -> None:
    x, y = torch.tensor(pairs, dtype=torch.float64).T
    chosen = best_scale(x, y)
    assert (chosen * x - y).abs().sum() <= (other * x - y).abs().sum() + 1e-9


def test_the_correlation_agrees_with_numpy() -> None:
    x, y = draws(200, 2).T + 5
    assert correlation(x, x + y) == pytest.approx(np.corrcoef(x, x + y)[0, 1])
    assert correlation(x, torch.full_like(x, 0.1)) == 0


def test_a_subset_is_drawn_by_seed_without_replacement() -> None:
    cloud = draws(100, 2)
    chosen = subset(cloud, 30, seed=5)
    assert len(chosen.unique()) == 30
    assert torch.equal(chosen, subset(cloud, 30, seed=5))
    assert not torch.equal(chosen, subset(cloud, 30, seed=6))
    assert torch.equal(subset(cloud, 100, seed=5), torch.arange(100))


def matched(codes: Tensor, prior: Tensor, drawn: Tensor | None = None) -> dict[str, float]:
    return PriorMMD()(replace(specimen(codes, codes), prior=prior, draws=drawn))


def test_the_discrepancy_of_a_few_codes_and_draws_is_known() -> None:
    codes, prior = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [5.0]])
    figures = matched(codes, prior)  # distances 3, 5, 2, 4 between, 1 and 2 within
    assert figures == pytest.approx({"mmd": 2 * 3.5 - 1 - 2, "coefficient": 4 / 7})


def test_the_discrepancy_agrees_with_all_pairs_written_out() -> None:
    codes, prior = draws(40, 3), 2 * draws(60, 3, 1) + 1
    between, within = torch.cdist(codes, prior).mean(), torch.pdist(codes).mean() + torch.pdist(prior).mean()
    assert matched(codes, prior)["mmd"] == pytest.approx(float(2 * between - within))


def test_codes_of_the_priors_law_have_no_discrepancy_on_average() -> None:
    found = [matched(draws(50, 4, seed), draws(80, 4, 1000 + seed))["mmd"] for seed in range(200)]
    assert min(found) < 0 < max(found)
    assert np.mean(found) == pytest.approx(0, abs=4 * np.std(found) / np.sqrt(len(found)))


def test_the_coefficient_of_two_points_apart_is_1_and_has_no_units() -> None:
    assert matched(torch.zeros(5, 2), torch.ones(5, 2))["coefficient"] == pytest.approx(1)
    codes, prior = draws(30, 2), draws(30, 2, 1) + 1
    assert matched(7 * codes, 7 * prior)["coefficient"] == pytest.approx(matched(codes, prior)["coefficient"])


def test_codes_drawn_from_their_laws_are_judged_where_there_are_any() -> None:
    means, prior = 0.1 * draws(300, 2), draws(300, 2, 1)
    drawn = means + 0.99**0.5 * draws(300, 2, 2)
    assert matched(means, prior, drawn) == matched(drawn, prior)
    assert matched(means, prior)["coefficient"] > 0.1
    assert matched(means, prior, drawn)["coefficient"] < 0.02


def test_a_discrepancy_that_is_undefined_is_left_out() -> None:
    assert matched(draws(1, 2), draws(9, 2)) == {}
    assert matched(torch.ones(4, 2), torch.ones(4, 2)) == {"mmd": 0.0}
