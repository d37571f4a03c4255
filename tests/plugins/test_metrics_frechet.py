"""The Fréchet distance and the reconstruction error: closed forms, agreement with SciPy, honest intervals and baselines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st
from specimens import draws, specimen_of
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Estimate, Missing, Samples
from otae.testing import MetricSuite
from otae_metrics import Frechet, Reconstruction
from otae_metrics.frechet import frechet_distance, frechet_estimate
from otae_metrics.linear import Linear


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


class TestFrechetOfComponents(MetricSuite):
    plugin = Frechet
    options = {"features": "pca"}
    perfect = {"distance": 0.0}


def exactly(mean: Tensor, variances: Tensor) -> Tensor:
    """Returns points whose sample mean and (unbiased) covariance are exactly these, with shape (2D, D)."""
    size = len(mean)
    axes = torch.diag(((2 * size - 1) / 2 * variances).sqrt())
    return mean + torch.cat([axes, -axes])


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
    assert float(frechet_estimate(x, y)) == pytest.approx(expected, rel=1e-9)


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
    assert float(frechet_estimate(x, y)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("count", "size"), [(300, 20), (20, 300), (1, 3)])
def test_a_cloud_is_at_frechet_distance_0_from_itself_however_far_off(count: int, size: int) -> None:
    cloud = draws(count, size) + 1e3
    assert frechet_distance(cloud, cloud.flip(0)) == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 2**31), st.floats(-3, 3))
def test_the_frechet_distance_of_a_shift_is_its_squared_length(seed: int, shift: float) -> None:
    cloud = draws(12, 4, seed)
    assert frechet_distance(cloud, cloud + shift) == pytest.approx(4 * shift**2, abs=1e-9)
    assert frechet_distance(cloud + shift, cloud) == pytest.approx(frechet_distance(cloud, cloud + shift), abs=1e-9)


@pytest.mark.parametrize(("count", "other", "size"), [(150, 220, 3), (40, 40, 60)])
def test_the_interval_of_the_frechet_distance_has_the_spread_of_repeated_draws(
    count: int, other: int, size: int
) -> None:
    mixing = draws(size, size, 99)
    found = [frechet_estimate(draws(count, size, 2 * i) @ mixing, draws(other, size, 2 * i + 1)) for i in range(200)]
    half = np.mean([(each.high - each.low) / 2 for each in found])
    assert half == pytest.approx(1.96 * np.std(found), rel=0.15)


def test_extrapolation_takes_most_of_the_bias_away() -> None:
    found = []
    for seed in range(40):
        x, y = draws(120, 8, 2 * seed), draws(120, 8, 2 * seed + 1) + 0.5  # at squared distance 2
        found.append(Frechet()(specimen_of(x, x[:, :2], generations=y)))
    biased, corrected = (np.mean([each[name] for each in found]) - 2 for name in ("distance", "extrapolated"))
    assert abs(corrected) < biased / 4
    assert biased > 0.1


def test_the_linear_baseline_of_the_frechet_distance_is_the_gaussian_of_the_training_data() -> None:
    data = draws(4_000, 3) @ torch.diag(torch.tensor([3.0, 2.0, 1.0]).double())
    figures = Frechet()(specimen_of(data, data[:, :2], generations=draws(5_000, 3, 1)))
    assert figures["pca_distance"] == pytest.approx(1.0, abs=0.1)  # the third direction, of variance 1, is missing
    assert figures["distance"] == pytest.approx((3 - 1) ** 2 + (2 - 1) ** 2, abs=0.3)
    assert figures["ratio"] == figures["distance"] / figures["pca_distance"]
    assert figures["distance"].low < figures["distance"] < figures["distance"].high


def test_features_of_a_classifier_see_what_tells_classes_apart() -> None:
    labels = torch.arange(300) % 3
    data = torch.cat([4.0 * torch.nn.functional.one_hot(labels), draws(300, 9)], dim=1)
    right, wrong = (torch.cat([data[:, :3] * factor, draws(300, 9, 5)], dim=1) for factor in (1, 0))
    specimen = specimen_of(data, data[:, :2], train=Samples(data=data, codes=data[:, :2], labels=labels))
    metric = Frechet(features="classifier")
    found = [metric(replace(specimen, generations=each))["distance"] for each in (right, wrong)]
    assert found[0] < found[1] / 5
    assert metric(replace(specimen, generations=right))["distance"] == found[0]
    with pytest.raises(NotApplicableError, match="labels of two classes"):
        metric(specimen_of(data))


def test_the_error_is_the_mean_over_all_entries() -> None:
    data = draws(50, 6)
    off = data + torch.tensor([0.0, 0, 0, 0, 0, 0.6])
    figures = Reconstruction()(specimen_of(data, draws(50, 2), reconstructions=off))
    assert figures["mse"] == pytest.approx(0.06)


def test_the_interval_of_the_error_covers_the_mean_of_the_law() -> None:
    covered = 0
    for seed in range(40):
        data = draws(80, 3, seed)
        figures = Reconstruction()(specimen_of(data, data[:, :1], reconstructions=torch.zeros(80, 3)))
        covered += figures["mse"].low < 1 < figures["mse"].high
        assert isinstance(figures["ratio"], Estimate)
    assert covered >= 34


def test_the_baseline_loses_the_variance_of_the_components_it_lacks() -> None:
    data = exactly(torch.ones(4).double(), torch.tensor([8.0, 4.0, 2.0, 1.0]).double())
    figures = Reconstruction()(specimen_of(data, data[:, :2], reconstructions=data))
    assert figures["pca_mse"] == pytest.approx(7 / 8 * (2 + 1) / 4)  # the biased variance, over four entries
    assert figures["ratio"] == 0


@pytest.mark.parametrize("metric", [Reconstruction, Frechet])
@pytest.mark.parametrize("latent_dim", [3, 5])
def test_a_baseline_of_full_rank_is_left_out_with_the_reason(metric: type, latent_dim: int) -> None:
    data = draws(30, 3) + 100
    figures = metric()(specimen_of(data, draws(30, latent_dim), reconstructions=data + 1, generations=data + 1))
    missing = {name: value.reason for name, value in figures.items() if isinstance(value, Missing)}
    assert set(missing) == {"ratio", "pca_mse" if metric is Reconstruction else "pca_distance"}
    assert all(reason.startswith(f"The {latent_dim} latent dimensions reach the rank") for reason in missing.values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_data_of_a_linear_space_have_no_baseline_in_any_unit(dtype: torch.dtype, unit: float) -> None:
    data = unit * (draws(200, 2) @ draws(2, 20, 1) + 1).to(dtype)
    figures = Reconstruction()(specimen_of(data, draws(200, 2), reconstructions=data * 0.9))
    assert isinstance(figures["ratio"], Missing)
    assert "linear space of 2 dimensions" in figures["ratio"].reason
    noisy = data + unit * 0.01 * draws(200, 20, 2).to(dtype)
    assert not isinstance(Reconstruction()(specimen_of(noisy, draws(200, 2)))["ratio"], Missing)


def test_the_linear_baseline_has_no_more_components_than_training_samples() -> None:
    assert Linear(draws(4, 9), 8).sample(7, seed=0).shape == (7, 9)
