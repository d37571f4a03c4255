"""Clusters against classes: brute force, scikit-learn and torchmetrics as oracles, invariances, calibration by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import sklearn.cluster
import sklearn.metrics
import torch
from specimens import draws, specimen_of
from torch import Generator, Tensor
from torchmetrics.functional.classification import multiclass_calibration_error

from otae.errors import NotApplicableError
from otae.interfaces import Components as PriorComponents
from otae.interfaces import Missing, Prior, Samples, Specimen
from otae.testing import MetricSuite
from otae_metrics import Clustering, Components
from otae_metrics.calibration import calibration_error
from otae_metrics.clusters import Classes
from otae_metrics.contingency import accuracy, contingency, match, mutual_information, purity, rand_index


@dataclass(frozen=True, eq=False)
class Nearest(PriorComponents):
    """Holds components around given means; a code is likelier theirs the nearer it is."""

    means: Tensor

    @property
    def weights(self) -> Tensor:
        return torch.full((len(self.means),), 1 / len(self.means), dtype=torch.float64)

    def sample(self, component: int, count: int, generator: Generator | None = None) -> Tensor:
        return self.means[component].expand(count, -1)

    def assign(self, z: Tensor) -> Tensor:
        return (-torch.cdist(z, self.means).square() / 2).softmax(1)


class Mixed(Prior):
    def __init__(self, means: Tensor) -> None:
        super().__init__(means.shape[1])
        self.means = means

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return self.normal(count, self.latent_dim, generator=generator)

    @property
    def components(self) -> Nearest:
        return Nearest(self.means)


class OnlyPrior:
    """A model of which metrics see the prior alone."""

    def __init__(self, means: Tensor) -> None:
        self.prior = Mixed(means.double())


class TestClustering(MetricSuite):
    plugin = Clustering


@pytest.mark.slow
class TestComponents(MetricSuite):
    plugin = Components

    def specimen(self, count: int = 60, dtype: torch.dtype = torch.float64, seed: int = 0) -> Specimen:
        model: Any = OnlyPrior(torch.tensor([[8.0, 8.0], [0.0, 0.0], [4.0, 4.0], [20.0, 20.0]]))
        return replace(super().specimen(count, dtype, seed), model=model)

    def test_a_perfect_model_has_the_declared_figures(self) -> None:
        figures = self.judged(self.specimen())  # the suite's perfect codes are the data, of other dimensions
        assert figures["accuracy"] > 0.9
        assert figures["used"] == pytest.approx(3, abs=0.1)


def table_of(count: int, clusters: int, classes: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    k, c = (torch.randint(size, (count,), generator=generator) for size in (clusters, classes))
    c = torch.where(torch.rand(count, generator=generator) < 0.4, k % classes, c)
    return k, c, contingency(k, c, (clusters, classes))


@pytest.mark.parametrize(("clusters", "classes"), [(4, 4), (5, 3), (3, 5), (1, 3), (4, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_the_matching_is_the_best_of_all(clusters: int, classes: int, seed: int) -> None:
    k, c, table = table_of(60, clusters, classes, seed)
    least = min(clusters, classes)
    best = max(
        sum(float(table[row, column]) for row, column in zip(rows, columns, strict=True))
        for rows in permutations(range(clusters), least)
        for columns in permutations(range(classes), least)
    )
    assert accuracy(table) == pytest.approx(best / 60)
    taken = match(table)[match(table) >= 0]
    assert len(taken.unique()) == len(taken) == least
    assert accuracy(table) == pytest.approx(float((match(table)[k] == c).double().mean()))


@pytest.mark.parametrize(("clusters", "classes"), [(4, 4), (7, 3), (2, 6), (1, 1), (1, 4)])
@pytest.mark.parametrize("seed", range(3))
def test_agreements_are_those_of_scikit_learn(clusters: int, classes: int, seed: int) -> None:
    k, c, table = table_of(80, clusters, classes, seed)
    truth, found = c.numpy(), k.numpy()
    assert np.array_equal(
        table.numpy(),
        np.array([[np.sum((found == i) & (truth == j)) for j in range(classes)] for i in range(clusters)]),
    )
    assert float(mutual_information(table)) == pytest.approx(
        sklearn.metrics.normalized_mutual_info_score(truth, found), abs=1e-9
    )
    assert float(rand_index(table)) == pytest.approx(sklearn.metrics.adjusted_rand_score(truth, found), abs=1e-9)
    assert purity(table) == pytest.approx(np.mean([np.sum(table.numpy().max(1)) / 80]))


def grouped(count: int = 300, size: int = 6, apart: float = 1.2, seed: int = 0) -> tuple[Tensor, Tensor]:
    labels = torch.arange(count) % 5
    return draws(count, size, seed) + apart * draws(5, size, 99)[labels], labels


def clustered(apart: float = 1.2, **options: Any) -> tuple[Specimen, dict[str, Any]]:
    (train, known), (codes, labels) = grouped(apart=apart, seed=1), grouped(200, apart=apart, seed=2)
    mixing = draws(6, 30, 7)
    specimen = specimen_of(
        codes @ mixing, codes, labels=labels, train=Samples(data=train @ mixing, codes=train, labels=known)
    )
    return specimen, dict(Clustering(**options)(specimen))


def test_k_means_is_that_of_scikit_learn() -> None:
    specimen, figures = clustered()
    for name, train, points in (
        ("", specimen.train.codes, specimen.codes),
        ("pixels_", specimen.train.data, specimen.data),
    ):
        found = sklearn.cluster.KMeans(5, n_init=20, random_state=3).fit(train.numpy()).predict(points.numpy())
        truth = specimen.labels.numpy()
        assert figures[f"{name}nmi"] == pytest.approx(
            sklearn.metrics.normalized_mutual_info_score(truth, found), abs=0.02
        )
        assert figures[f"{name}ari"] == pytest.approx(sklearn.metrics.adjusted_rand_score(truth, found), abs=0.02)
    found = (
        sklearn.cluster.KMeans(5, n_init=20, random_state=3)
        .fit(specimen.train.codes.numpy())
        .predict(specimen.codes.numpy())
    )
    expected = sklearn.metrics.silhouette_score(specimen.codes.numpy(), found)
    assert figures["silhouette"] == pytest.approx(expected, abs=0.01)
    expected = sklearn.metrics.calinski_harabasz_score(specimen.codes.numpy(), found)
    assert figures["calinski_harabasz"] == pytest.approx(expected, rel=0.02)


def test_classes_far_apart_are_found_and_the_table_is_diagonal() -> None:
    _, figures = clustered(apart=30)
    assert all(figures[name] == 1 for name in ("accuracy", "nmi", "ari", "pixels_accuracy", "pca_accuracy"))
    table = figures["contingency"]
    assert torch.equal(table.values, 40 * torch.eye(5).double())
    assert table.columns == ("0", "1", "2", "3", "4")


def test_more_clusters_than_classes_cannot_all_be_matched() -> None:
    _, figures = clustered(apart=30, clusters=10)
    assert figures["accuracy"] < 0.9
    assert figures["nmi"] > 0.7
    assert figures["contingency"].values.shape == (10, 5)


@pytest.mark.slow
def test_intervals_have_the_spread_of_repeated_splits() -> None:
    labels = torch.arange(200) % 4
    classes = Classes(labels, ("a", "b", "c", "d"))
    found = []
    for seed in range(60):
        wrong = draws(200, 1, seed).flatten().abs() > 1.2
        found.append(classes.agreement(torch.where(wrong, (labels + 1) % 4, labels), 4, seed))
    for name in ("accuracy", "nmi", "ari"):
        half = np.mean([(each[name].high - each[name].low) / 2 for each in found])
        assert half == pytest.approx(1.96 * np.std([each[name] for each in found]), rel=0.3), name


def test_components_that_are_the_classes_are_recognised_in_any_order() -> None:
    labels = torch.arange(200) % 4
    means = 20 * draws(4, 3, 5)
    codes = means[labels] + draws(200, 3)
    model: Any = OnlyPrior(means[[2, 0, 3, 1]])
    figures = Components()(specimen_of(codes, codes, labels=labels, model=model, class_names=("a", "b", "c", "d")))
    assert all(figures[name] == pytest.approx(1) for name in ("accuracy", "nmi", "ari", "purity", "confidence"))
    assert figures["calibration_error"] == pytest.approx(0, abs=1e-6)
    assert figures["used"] == pytest.approx(4)
    table = figures["contingency"]
    assert table.rows == ("component 1", "component 3", "component 0", "component 2")
    assert torch.equal(table.values, 50 * torch.eye(4).double())
    assert table.columns == ("a", "b", "c", "d")


def test_a_prior_whose_components_overlap_is_as_sure_as_it_is_right() -> None:
    labels = (draws(4_000, 1).flatten() > 0).long()
    means = torch.tensor([[-0.5], [0.5]]).double()
    codes = means[labels] + draws(4_000, 1, 1)
    model: Any = OnlyPrior(means)
    figures = Components()(specimen_of(codes, codes, labels=labels, model=model))
    assert figures["calibration_error"] < 0.03
    assert figures["confidence"] == pytest.approx(float(figures["accuracy"]), abs=0.02)
    sharp: Any = OnlyPrior(10 * means)
    assert Components()(specimen_of(codes, codes, labels=labels, model=sharp))["calibration_error"] > 0.2


def test_one_component_alone_in_use_has_no_silhouette() -> None:
    model: Any = OnlyPrior(torch.tensor([[0.0, 0.0], [99.0, 99.0]]))
    figures = Components()(specimen_of(draws(40, 2), labels=torch.arange(40) % 2, model=model))
    assert figures["accuracy"] == 0.5
    assert figures["used"] == pytest.approx(1)
    assert isinstance(figures["silhouette"], Missing)


def test_a_model_without_components_is_not_judged_by_them() -> None:
    with pytest.raises(NotApplicableError, match="prior with components, such as `mixture`"):
        Components()(specimen_of(draws(9, 2), labels=torch.arange(9) % 3))


def test_the_calibration_error_of_a_few_samples_is_known() -> None:
    confidences, correct = torch.tensor([0.95, 0.85, 0.55, 0.52]), torch.tensor([True, False, True, True])
    assert calibration_error(confidences, correct, bins=2) == pytest.approx(abs(3 - 2.87) / 4)
    assert calibration_error(confidences, correct, bins=10) == pytest.approx((0.05 + 0.85 + 2 - 1.07) / 4)


def test_the_calibration_error_is_that_of_torchmetrics() -> None:
    scores = (2 * draws(500, 4)).softmax(1)
    labels = torch.arange(500) % 4
    expected = multiclass_calibration_error(scores, labels, 4, n_bins=15, norm="l1")
    confidences, found = scores.max(1)
    assert calibration_error(confidences, found == labels) == pytest.approx(float(expected), abs=1e-6)
