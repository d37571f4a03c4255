"""Generations against data: torchmetrics, SciPy and formulas written out as oracles; laws whose figures are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
from safetensors.torch import save_file
from specimens import draws, specimen_of
from torch import Tensor, nn
from torchmetrics.image.kid import poly_mmd

import otae_metrics.features
from otae.errors import ConfigError, NotApplicableError
from otae.interfaces import Samples
from otae.testing import MetricSuite
from otae_metrics import Frechet, KernelDistance, Memorisation, PrecisionRecall, TwoSample
from otae_metrics.kernel_distance import kernel_estimate
from otae_metrics.precision_recall import counts
from otae_metrics.two_sample import own_neighbours


class TestKernelDistance(MetricSuite):
    plugin = KernelDistance


class TestPrecisionRecall(MetricSuite):
    plugin = PrecisionRecall
    perfect = {"f1": 1.0, "precision": 1.0, "recall": 1.0, "coverage": 1.0}


class TestTwoSample(MetricSuite):
    plugin = TwoSample


class TestMemorisation(MetricSuite):
    plugin = Memorisation


def test_the_kernel_distance_is_that_of_torchmetrics() -> None:
    x, y = draws(60, 7), 1.2 * draws(60, 7, 1) + 0.3
    kernels = ((a @ b.T / 7 + 1) ** 3 for a, b in ((x, x), (x, y), (y, y)))
    assert kernel_estimate(x, y, 0) == pytest.approx(float(poly_mmd(x, y)), rel=1e-9)
    xx, xy, yy = kernels
    written = (xx.sum() - xx.trace() + yy.sum() - yy.trace()) / (60 * 59) - 2 * xy.mean()
    assert kernel_estimate(x, y, 0) == pytest.approx(float(written))


@pytest.mark.slow
def test_the_kernel_distance_has_no_bias_and_honest_intervals() -> None:
    found = [kernel_estimate(draws(40, 3, 2 * seed), draws(90, 3, 2 * seed + 1) + 0.4, seed) for seed in range(150)]
    large = kernel_estimate(draws(3_000, 3, 999), draws(3_000, 3, 998) + 0.4, 0)
    assert np.mean(found) == pytest.approx(large, abs=4 * np.std(found) / np.sqrt(150) + 0.05)
    half = np.mean([(each.high - each.low) / 2 for each in found])
    assert half == pytest.approx(1.96 * np.std(found), rel=0.3)


def test_generations_of_the_datas_law_have_no_kernel_distance_on_average() -> None:
    found = [kernel_estimate(draws(30, 4, 2 * seed), draws(50, 4, 2 * seed + 1), seed) for seed in range(150)]
    assert np.mean(found) == pytest.approx(0, abs=4 * np.std(found) / np.sqrt(150))
    assert min(found) < 0


def naive_counts(x: Tensor, y: Tensor, k: int) -> dict[str, float]:
    """Precision, recall, density and coverage as the papers define them, by all distances."""
    real, fake, across = torch.cdist(x, x), torch.cdist(y, y), torch.cdist(x, y)
    real_reach, fake_reach = (each.sort(1).values[:, k] for each in (real, fake))
    return {
        "precision": float((across <= real_reach[:, None]).any(0).double().mean()),
        "recall": float((across <= fake_reach[None, :]).any(1).double().mean()),
        "density": float((across <= real_reach[:, None]).double().sum(0).mean() / k),
        "coverage": float((across.min(1).values <= real_reach).double().mean()),
    }


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_recall_density_and_coverage_are_those_of_the_papers(k: int) -> None:
    x, y = draws(150, 4), 0.8 * draws(150, 4, 1) + 0.3
    figures = PrecisionRecall(nearest=k)(specimen_of(x, generations=y))
    expected = naive_counts(x, y, k)
    assert {name: figures[name] for name in expected} == pytest.approx(expected)
    harmonic = 2 / (1 / expected["precision"] + 1 / expected["recall"])
    assert figures["f1"] == pytest.approx(harmonic)


def test_precision_and_recall_of_points_on_a_line_are_known() -> None:
    x = torch.tensor([[0.0], [1.0], [2.0], [10.0]]).double()
    y = torch.tensor([[0.5], [1.5], [2.5], [30.0]]).double()
    inside, shown, covered = counts(x, y, 1)  # radii of x: 1, 1, 1, 8; of y: 1, 1, 1, 27.5
    assert inside.tolist() == [2, 2, 2, 0]  # 2.5 lies within 8 of 10, and 30 within reach of nothing
    assert (shown > 0).tolist() == [True, True, True, True]  # 10 lies within 27.5 of 30
    assert covered.tolist() == [1, 1, 1, 1]


def test_equal_laws_have_density_1_and_the_coverage_of_the_paper() -> None:
    x, y = draws(1_000, 2), draws(1_000, 2, 1)
    figures = PrecisionRecall()(specimen_of(x, generations=y))
    assert figures["density"] == pytest.approx(1, abs=0.06)
    assert figures["coverage"] == pytest.approx(1 - 2**-5, abs=0.02)
    assert figures["coverage"].low < figures["coverage"] < figures["coverage"].high


def test_generations_of_one_mode_are_precise_and_recall_half() -> None:
    modes = 20 * (torch.arange(400) % 2)[:, None]
    x, y = draws(400, 2) + modes, draws(400, 2, 1)
    figures = PrecisionRecall()(specimen_of(x, generations=y))
    assert figures["precision"] > 0.95
    assert figures["recall"] == pytest.approx(0.5, abs=0.03)
    assert figures["coverage"] == pytest.approx(0.5, abs=0.03)


def test_neighbours_of_ones_own_are_those_of_the_leave_one_out_classifier() -> None:
    x, y = draws(70, 3), draws(70, 3, 1) + 0.7
    both = torch.cat([x, y])
    distances = torch.cdist(both, both).fill_diagonal_(torch.inf)
    same = (distances.argmin(1) >= 70) == (torch.arange(140) >= 70)
    own = torch.cat(own_neighbours(x, y))
    assert torch.equal(own, same.double())


def test_a_law_cannot_be_told_from_itself_and_can_from_another() -> None:
    x, y = draws(800, 4), draws(900, 4, 1)
    equal = TwoSample()(specimen_of(x, generations=y))
    assert equal["auc"].low < 0.5 < equal["auc"].high
    assert equal["neighbours"] == pytest.approx(0.5, abs=0.04)
    apart = TwoSample()(specimen_of(x, generations=y + 1.0))
    assert apart["auc"] == pytest.approx(scipy.stats.norm.cdf(2 / np.sqrt(2)), abs=0.05)  # ‖shift‖ = 2: Φ(2/√2)
    copies = TwoSample()(specimen_of(x, generations=x.flip(0)))
    assert copies["neighbours"] == 0


def remembered(generations: Tensor) -> dict[str, Any]:
    train, fresh = draws(500, 3, 1), draws(300, 3, 2)
    return dict(Memorisation()(specimen_of(fresh, generations=generations, train=Samples(data=train, codes=train))))


def test_memorisation_tells_copies_from_new_samples_and_from_blurred_ones() -> None:
    copies = remembered(draws(500, 3, 1) + 1e-6)
    assert copies["copied"] == 1
    assert copies["z"] > 10
    assert copies["ratio"] < 1e-4
    new = remembered(draws(400, 3, 3))
    assert new["copied"].low < 0.5 < new["copied"].high
    assert abs(new["z"]) < 2.5
    off = remembered(draws(400, 3, 3) + 9)
    assert off["copied"] < 0.05
    assert off["z"] < -10


def test_the_statistic_of_memorisation_is_that_of_mann_and_whitney() -> None:
    train, fresh, generated = draws(200, 2, 1), draws(80, 2, 2), 0.8 * draws(90, 2, 3)
    figures = remembered_of(train, fresh, generated)
    y, x = (torch.cdist(each, train).min(1).values.numpy() for each in (generated, fresh))
    test = scipy.stats.mannwhitneyu(x, y, use_continuity=False, method="asymptotic")
    assert figures["copied"] == pytest.approx(test.statistic / (80 * 90))
    assert 2 * scipy.stats.norm.sf(abs(figures["z"])) == pytest.approx(test.pvalue)


def remembered_of(train: Tensor, fresh: Tensor, generated: Tensor) -> dict[str, Any]:
    return dict(Memorisation()(specimen_of(fresh, generations=generated, train=Samples(data=train, codes=train))))


def test_memorisation_is_not_measured_on_training_samples() -> None:
    with pytest.raises(NotApplicableError, match="judge a test split"):
        Memorisation()(specimen_of(draws(50, 2)))


class Halves(nn.Module):
    """A module whose features are the first entries, scaled."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x.flatten(1)[:, :2]


def test_a_single_training_sample_has_no_linear_baseline_to_compare_with() -> None:
    seen = replace(specimen_of(draws(30, 5).float()), train=Samples(data=draws(1, 5).float(), codes=draws(1, 2)))
    with pytest.raises(NotApplicableError, match="two training samples at least"):
        KernelDistance()(seen)


@pytest.fixture
def halves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otae_metrics.features, "load_module", lambda name, group: {"halves": Halves}[name]())


@pytest.mark.parametrize("metric", [Frechet, KernelDistance, PrecisionRecall, TwoSample])
@pytest.mark.usefixtures("halves")
def test_features_of_a_module_of_ones_own_are_compared(metric: Any, tmp_path: Any) -> None:
    data, generations = draws(60, 5).float(), draws(60, 5, 1).float()
    seen, cut = specimen_of(data, generations=generations), specimen_of(data[:, :2], generations=generations[:, :2])
    path = tmp_path / "halves.safetensors"
    save_file({"scale": torch.tensor([3.0])}, path)
    headline = {Frechet: "distance", TwoSample: "neighbours"}.get(metric, metric.headline)
    scaled = specimen_of(3 * data[:, :2], generations=3 * generations[:, :2])
    assert metric(module="halves")(seen)[headline] == pytest.approx(metric()(cut)[headline], rel=1e-5)
    assert metric(module="halves", weights=str(path))(seen)[headline] == pytest.approx(
        metric()(scaled)[headline], rel=1e-5
    )


def test_weights_without_a_module_are_refused() -> None:
    with pytest.raises(ConfigError, match="no `module` was given"):
        Frechet(weights="some.safetensors")
    with pytest.raises(ConfigError, match="No module named 'no-such'"):
        Frechet(module="no-such")
