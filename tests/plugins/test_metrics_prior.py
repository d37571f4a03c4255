"""The discrepancies of codes and prior: closed forms, laws that are one, agreement with all pairs written out and POT."""

from __future__ import annotations

from typing import Any

import numpy as np
import ot
import pytest
import torch
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Missing, Samples, Specimen
from otae.testing import MetricSuite
from otae_metrics import PriorMMD, PriorSinkhorn


class TestPriorMMD(MetricSuite):
    plugin = PriorMMD


class TestPriorSinkhorn(MetricSuite):
    plugin, options = PriorSinkhorn, {"blur": 0.5}


def draws(count: int, size: int, seed: int = 0) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def specimen(codes: Tensor, prior: Tensor, drawn: Tensor | None = None) -> Specimen:
    known = Samples(data=codes, codes=codes)
    return Specimen(
        data=codes, codes=codes, draws=drawn, reconstructions=codes, generations=prior, prior=prior, train=known
    )


def matched(codes: Tensor, prior: Tensor, drawn: Tensor | None = None) -> Any:
    return PriorMMD()(specimen(codes, prior, drawn))


def test_the_discrepancy_of_a_few_codes_and_draws_is_known() -> None:
    codes, prior = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [5.0]])
    figures = matched(codes, prior)  # distances 3, 5, 2, 4 between, 1 and 2 within
    assert figures == pytest.approx({"mmd": 2 * 3.5 - 1 - 2, "coefficient": 4 / 7})


def test_the_discrepancy_agrees_with_all_pairs_written_out() -> None:
    codes, prior = draws(40, 3), 2 * draws(60, 3, 1) + 1
    between, within = torch.cdist(codes, prior).mean(), torch.pdist(codes).mean() + torch.pdist(prior).mean()
    assert matched(codes, prior)["mmd"] == pytest.approx(float(2 * between - within))


def test_codes_of_the_priors_law_have_no_discrepancy_on_average_and_intervals_that_say_so() -> None:
    found = [matched(draws(50, 4, seed), draws(80, 4, 1000 + seed))["mmd"] for seed in range(60)]
    assert min(found) < 0 < max(found)
    assert np.mean(found) == pytest.approx(0, abs=4 * np.std(found) / np.sqrt(len(found)))
    assert np.mean([each.low <= 0 <= each.high for each in found]) > 0.85


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


def test_a_discrepancy_that_is_undefined_is_left_out_or_refused() -> None:
    with pytest.raises(NotApplicableError, match="two codes"):
        matched(draws(1, 2), draws(9, 2))
    figures = matched(torch.ones(4, 2), torch.ones(4, 2))
    assert figures["mmd"] == 0
    assert isinstance(figures["coefficient"], Missing)


def sinkhorn(codes: Tensor, prior: Tensor, **options: Any) -> Any:
    return PriorSinkhorn(**options)(specimen(codes, prior))


def test_the_divergence_of_a_small_blur_is_half_of_the_squared_distance_of_pot() -> None:
    codes, prior = draws(60, 2) + torch.tensor([2.0, 0.0]), torch.cat([draws(60, 2, 1)] * 2)
    found = sinkhorn(codes, prior, blur=0.02)  # both halves of the draws are alike, up to their order
    spread = float(prior.var(0, correction=0).mean().sqrt())
    known = ot.emd2([], [], ot.dist(codes.numpy() / spread, prior[:60].numpy() / spread)) / 2
    assert found["divergence"] == pytest.approx(known, rel=0.15)


def test_the_divergence_of_a_large_blur_is_half_of_the_squared_distance_of_the_means() -> None:
    codes, prior = draws(50, 2) + 3, draws(100, 2, 1)
    found = sinkhorn(codes, prior, blur=50.0)
    spread = prior.var(0, correction=0).mean()
    assert found["divergence"] == pytest.approx(
        float((codes.mean(0) - prior.mean(0)).square().sum() / spread / 2), rel=0.1
    )


def test_codes_of_the_priors_law_are_as_far_from_it_as_it_is_from_itself() -> None:
    found = sinkhorn(draws(200, 3), draws(400, 3, 1))
    assert found["divergence"] == pytest.approx(found["floor"], rel=0.5)
    assert found["divergence"] < 0.2 * sinkhorn(draws(200, 3) + 1, draws(400, 3, 1))["divergence"]


def test_the_divergence_has_no_units() -> None:
    codes, prior = draws(40, 2) + 1, draws(80, 2, 1)
    assert sinkhorn(9 * codes, 9 * prior)["divergence"] == pytest.approx(sinkhorn(codes, prior)["divergence"])


def test_a_divergence_that_is_undefined_is_left_out_or_refused() -> None:
    assert isinstance(sinkhorn(draws(9, 2), torch.ones(9, 2))["divergence"], Missing)
    with pytest.raises(NotApplicableError, match="has 9 and 3"):
        sinkhorn(draws(9, 2), draws(3, 2))
