"""The match of codes and prior: laws that are one or not, closed forms, agreement with SciPy and scikit-learn."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
import sklearn.mixture
import torch
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Estimate, Missing, Prior, Samples, Specimen, Table
from otae.testing import MetricSuite
from otae_metrics import Match
from otae_metrics.prior_fit import fitted_log_likelihoods, log_likelihoods
from otae_metrics.roc import area
from otae_metrics.two_samples import kolmogorov_smirnov, project, sliced_distance
from otae_priors import Gaussian, Mixture, Neural, Uniform


class TestMatch(MetricSuite):
    plugin = Match


def draws(count: int, size: int, seed: int = 0) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def specimen(codes: Tensor, prior: Tensor, train: Tensor, law: Prior | None = None) -> Specimen:
    model: Any = None if law is None else SimpleNamespace(prior=law)
    known = Samples(data=train, codes=train)
    return Specimen(
        data=codes, codes=codes, reconstructions=codes, generations=prior, prior=prior, train=known, model=model
    )


def match(codes: Tensor, prior: Tensor, law: Prior | None = None, **options: Any) -> Any:
    half = len(codes) // 2
    return Match(**options)(specimen(codes[:half], prior, codes[half:], law))


def test_codes_of_the_priors_law_cannot_be_told_from_draws() -> None:
    found = match(draws(1_000, 4), draws(1_000, 4, 1))
    assert found["auc"] == pytest.approx(0.5, abs=0.06)
    assert found["auc"].low < 0.5 < found["auc"].high
    assert found["ks"] < 0.08
    assert found["ks_rejected"] == 0


def test_codes_apart_from_the_prior_are_told_from_it_always() -> None:
    found = match(draws(400, 3) + 100, draws(400, 3, 1))
    assert found["auc"] == 1
    assert found["ks"] == 1
    assert found["ks_rejected"] == 1


def test_the_classifier_comes_near_the_best_that_there_is() -> None:
    shift = 1.0  # of the first of two dimensions: the best AUC is that of a shift of normals
    codes = draws(3_000, 2) + torch.tensor([shift, 0])
    found, best = match(codes, draws(3_000, 2, 1))["auc"], scipy.stats.norm.cdf(shift / 2**0.5)
    assert best - 0.05 < found < best + 0.02


def test_a_wrong_dependence_is_seen_that_no_dimension_shows() -> None:
    z = draws(600, 1)
    found = match(torch.cat([z, z + 0.1 * draws(600, 1, 2)], dim=1), draws(600, 2, 1))
    assert found["ks_rejected"] == 0
    assert found["auc"] > 0.9


def test_codes_are_drawn_from_their_laws_where_there_are_draws() -> None:
    prior, means = draws(600, 2, 1), 0.1 * draws(600, 2)
    given = specimen(means[:300], prior, means[300:])
    drawn = means + 0.99**0.5 * draws(600, 2, 2)
    train = replace(given.train, draws=drawn[300:])
    assert Match()(given)["auc"] > 0.8
    assert Match()(replace(given, draws=drawn[:300], train=train))["auc"] < 0.6


def test_no_code_that_the_classifier_saw_is_judged() -> None:
    codes, prior = draws(400, 8), draws(900, 8, 1)
    given = specimen(codes, prior, codes)  # the training split itself
    assert Match()(given)["auc"] < 0.6


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (2.0, 0.5)])
def test_the_log_likelihood_of_a_gaussian_is_that_of_scipy(shift: float, scale: float) -> None:
    codes = shift + scale * draws(200, 3)
    found = match(codes, draws(400, 3, 1), Gaussian(3).double())
    assert isinstance(found["log_likelihood"], Estimate)
    assert found["log_likelihood"] == pytest.approx(scipy.stats.norm.logpdf(codes[:100]).sum(1).mean())
    assert isinstance(found["likelihood_gap"], Missing)


def test_a_prior_without_density_or_without_mass_at_the_codes_says_so() -> None:
    codes, prior = draws(100, 2), draws(200, 2, 1)
    for law, reason in ((Neural(2), "no density"), (Uniform(2), "no mass at"), (None, "no density")):
        found = match(codes, prior, law)["log_likelihood"]
        assert isinstance(found, Missing)
        assert reason in found.reason


def clusters(count: int, seed: int = 0) -> Tensor:
    """Returns codes in three clusters, with mean 0 and variance 1 in each dimension as a mixture prior has."""
    centres = torch.tensor([[3.0, 0.0], [-3.0, 1.0], [0.0, -4.0]]).double()
    points = centres[torch.arange(count) % 3] + 0.4 * draws(count, 2, seed)
    return (points - points.mean(0)) / points.std(0)


def test_a_family_fitted_to_codes_comes_near_expectation_maximisation() -> None:
    torch.manual_seed(0)
    prior, codes, others = Mixture(2, components=3).double(), clusters(600), clusters(600, 1)
    before = {name: value.clone() for name, value in prior.state_dict().items()}
    fitted = fitted_log_likelihoods(prior, codes, others, steps=100)
    own = log_likelihoods(prior, others)
    known = max(
        sklearn.mixture.GaussianMixture(3, random_state=seed).fit(codes.numpy()).score(others.numpy())
        for seed in range(3)
    )
    assert fitted is not None
    assert own is not None
    assert float(fitted.mean()) == pytest.approx(known, abs=0.05)
    assert float(own.mean()) < known - 1
    assert all(torch.equal(value, before[name]) for name, value in prior.state_dict().items())
    assert not any(each.grad is not None for each in prior.parameters())


def test_the_gap_of_likelihoods_is_their_difference_and_0_for_the_priors_own_codes() -> None:
    torch.manual_seed(0)
    law = Mixture(2, components=3).double().eval()
    drawn = law.sample(1_000, torch.Generator().manual_seed(1)).detach()
    found = match(drawn, law.sample(1_000, torch.Generator().manual_seed(2)).detach(), law)
    assert found["likelihood_gap"] == pytest.approx(found["fitted_log_likelihood"] - found["log_likelihood"])
    assert found["likelihood_gap"] == pytest.approx(0, abs=0.05)
    assert found["auc"] < 0.58


def test_the_tests_by_dimension_are_those_of_scipy() -> None:
    codes, prior = draws(600, 3) * torch.tensor([1.0, 1.3, 1.0]), draws(300, 3, 1)
    x, y = codes[:250].round(decimals=1), prior.round(decimals=1)  # with ties
    known = [scipy.stats.ks_2samp(a, b).statistic for a, b in zip(x.T.numpy(), y.T.numpy(), strict=True)]
    assert kolmogorov_smirnov(x, y).tolist() == pytest.approx(known)
    found = match(codes, prior)
    table = found["dimensions"]
    assert isinstance(table, Table)
    assert float(table.values[:, 0].mean()) == pytest.approx(found["ks"])


def test_the_sliced_distance_of_a_shift_is_known() -> None:
    x, size = draws(500, 3), 3
    found = sliced_distance(project(x, 4_000, 0), project(x + torch.tensor([0, 0, 5.0]), 4_000, 0))
    assert found == pytest.approx(5 / size**0.5, rel=0.02)  # the mean square of an entry of a direction is 1/D
    assert sliced_distance(project(x, 20, 0), project(x.flip(0), 20, 0)) == 0


def test_the_sliced_distance_has_no_units() -> None:
    codes, prior = draws(300, 2) + 1, draws(300, 2, 1)
    assert match(7 * codes, 7 * prior)["sliced"] == pytest.approx(match(codes, prior)["sliced"])


def test_the_area_under_the_curve_is_that_of_scikit_learn() -> None:
    scores = draws(300, 1).round(decimals=1).flatten()  # with ties
    truths = torch.arange(300) % 3 == 0
    known = sklearn.metrics.roc_auc_score(truths, scores)
    assert area(scores[~truths], scores[truths]) == pytest.approx(known)
    assert np.isnan(area(scores, scores[:0]))


def test_too_few_codes_are_refused() -> None:
    with pytest.raises(NotApplicableError, match="has 9, 9 and 40"):
        match(draws(18, 2), draws(40, 2))
