"""The metrics: closed forms, invariances and agreement with SciPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from otae.interfaces import Specimen
from otae.testing import MetricSuite
from otae_metrics import Distortion, Frechet, PriorMMD, Reconstruction
from otae_metrics.distortion import best_scale, correlation
from otae_metrics.frechet import frechet_distance
from otae_metrics.linear import Linear
from otae_metrics.subset import subset

LENGTHS = st.floats(0, 5, width=32, allow_subnormal=False)


class TestReconstruction(MetricSuite):
    plugin = Reconstruction
    perfect = {"mse": 0.0}


class TestFrechet(MetricSuite):
    plugin = Frechet
    perfect = {"distance": 0.0}


class TestFrechetOfImages(MetricSuite):
    plugin = Frechet
    data_shape = (3, 8, 8)  # more entries than samples: both covariances are singular
    perfect = {"distance": 0.0}


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


def exactly(mean: Tensor, variances: Tensor) -> Tensor:
    """Returns points whose sample mean and (unbiased) covariance are exactly these, with shape (2D, D)."""
    size = len(mean)
    axes = torch.diag(((2 * size - 1) / 2 * variances).sqrt())
    return mean + torch.cat([axes, -axes])


def specimen(data: Tensor, codes: Tensor, reconstructions: Tensor | None = None) -> Specimen:
    approximations = data if reconstructions is None else reconstructions
    return Specimen(data, codes, approximations, data, codes, train=data)


def test_the_frechet_distance_of_diagonal_gaussians_is_known() -> None:
    mean, shifted = torch.tensor([0.0, 1.0, 2.0]).double(), torch.tensor([1.0, 1.0, 0.0]).double()
    a, b = torch.tensor([1.0, 4.0, 0.0]).double(), torch.tensor([9.0, 1.0, 0.25]).double()
    expected = (mean - shifted).square().sum() + (a.sqrt() - b.sqrt()).square().sum()
    assert frechet_distance(exactly(mean, a), exactly(shifted, b)) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(("count", "other", "size"), [(40, 60, 5), (200, 80, 30), (300, 300, 12)])
def test_the_frechet_distance_agrees_with_the_matrix_square_root(count: int, other: int, size: int) -> None:
    x, y = draws(count, size) @ draws(size, size, 1), draws(other, size, 2) @ draws(size, size, 3) + 1
    a, b = np.cov(x.numpy().T), np.cov(y.numpy().T)
    gap = float((x.mean(0) - y.mean(0)).square().sum())
    expected = gap + np.trace(a + b - 2 * scipy.linalg.sqrtm(a @ b).real)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("count", "size"), [(10, 50), (50, 10), (1, 4)])
def test_the_frechet_distance_of_singular_covariances_agrees_with_the_symmetric_form(count: int, size: int) -> None:
    x, y = draws(count, size), 2 * draws(count + 3, size, 1)
    y[:, :2] = 0  # constant directions
    a, b = (np.cov(z.numpy().T) if len(z) > 1 else np.zeros((size, size)) for z in (x, y))
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    overlap = np.sqrt(np.linalg.eigvalsh(root @ b @ root).clip(0)).sum()
    expected = float((x.mean(0) - y.mean(0)).square().sum()) + np.trace(a + b) - 2 * overlap
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("count", "size"), [(300, 20), (20, 300), (1, 3)])
def test_a_cloud_is_at_frechet_distance_0_from_itself_however_far_off(count: int, size: int) -> None:
    cloud = draws(count, size) + 1e3
    assert frechet_distance(cloud, cloud.flip(0)) == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 2**31), st.floats(-3, 3))
def test_the_frechet_distance_of_a_shift_is_its_squared_length(seed: int, shift: float) -> None:
    cloud = draws(12, 4, seed)
    assert frechet_distance(cloud, cloud + shift) == pytest.approx(4 * shift**2, abs=1e-9)
    assert frechet_distance(cloud + shift, cloud) == pytest.approx(frechet_distance(cloud, cloud + shift), abs=1e-9)


def test_the_linear_baseline_of_the_frechet_distance_is_the_gaussian_of_the_training_data() -> None:
    data = draws(4_000, 3) @ torch.diag(torch.tensor([3.0, 2.0, 1.0]).double())
    figures = Frechet()(replace(specimen(data, data[:, :2]), generations=draws(5_000, 3, 1)))
    assert figures["pca_distance"] == pytest.approx(1.0, abs=0.1)  # the third direction, of variance 1, is missing
    assert figures["distance"] == pytest.approx((3 - 1) ** 2 + (2 - 1) ** 2, abs=0.3)
    assert figures["ratio"] == figures["distance"] / figures["pca_distance"]


def test_the_error_is_the_mean_over_all_entries() -> None:
    data = draws(50, 6)
    figures = Reconstruction()(specimen(data, draws(50, 2), data + torch.tensor([0.0, 0, 0, 0, 0, 0.6])))
    assert figures["mse"] == pytest.approx(0.06)


def test_the_baseline_loses_the_variance_of_the_components_it_lacks() -> None:
    data = exactly(torch.ones(4).double(), torch.tensor([8.0, 4.0, 2.0, 1.0]).double())
    figures = Reconstruction()(specimen(data, data[:, :2], data))
    assert figures["pca_mse"] == pytest.approx(7 / 8 * (2 + 1) / 4)  # the biased variance, over four entries
    assert figures["ratio"] == 0


@pytest.mark.parametrize("latent_dim", [3, 5])
def test_there_is_no_ratio_to_a_perfect_baseline(latent_dim: int) -> None:
    data = draws(30, 3) + 100
    figures = Reconstruction()(specimen(data, draws(30, latent_dim), data + 1))
    assert figures == {"mse": pytest.approx(1), "pca_mse": pytest.approx(0, abs=1e-20)}


def test_the_linear_baseline_has_no_more_components_than_training_samples() -> None:
    assert Linear(draws(4, 9), 8).sample(7, seed=0).shape == (7, 9)


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
