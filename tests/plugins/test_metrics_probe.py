"""Probes: agreement with scikit-learn, data whose best accuracy is known, held-out samples."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from specimens import draws, specimen_of

from otae.errors import NotApplicableError
from otae.interfaces import Samples, Specimen
from otae.testing import MetricSuite
from otae_metrics import Probe


@pytest.mark.slow
class TestProbe(MetricSuite):
    plugin = Probe


def two_gaussians(apart: float, fit: int = 2_000, judged: int = 1_000, size: int = 3) -> Specimen:
    labels = torch.arange(fit + judged) % 2
    codes = draws(fit + judged, size)
    codes[:, 0] += apart * (labels - 0.5)
    data = codes @ draws(size, 20, 5)
    train = Samples(data=data[:fit], codes=codes[:fit], labels=labels[:fit])
    return specimen_of(data[fit:], codes[fit:], labels=labels[fit:], train=train)


def test_the_linear_probe_of_two_gaussians_reaches_the_best_accuracy_there_is() -> None:
    figures = Probe()(two_gaussians(2.0))
    best = 0.5 * (1 + math.erf(1 / math.sqrt(2)))  # Φ(1)
    assert figures["linear"].low < best < figures["linear"].high
    assert figures["linear"].high - figures["linear"].low == pytest.approx(2 * 1.96 * 0.0116, rel=0.2)
    assert figures["pca_linear"] == pytest.approx(float(figures["linear"]), abs=0.01)  # PCA only turns them
    assert figures["majority"] == 0.5


def test_the_probes_are_those_of_scikit_learn() -> None:
    specimen = two_gaussians(1.5, fit=300, judged=200)
    train, truth = specimen.train, specimen.labels.numpy()
    figures = Probe(nearest=7)(specimen)
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=1.0)).fit(train.codes.numpy(), train.labels.numpy())
    assert figures["linear"] == pytest.approx(linear.score(specimen.codes.numpy(), truth), abs=0.006)
    nearest = KNeighborsClassifier(7).fit(train.codes.numpy(), train.labels.numpy())
    assert figures["neighbours"] == nearest.score(specimen.codes.numpy(), truth)


def test_few_labels_are_worth_less_than_many() -> None:
    specimen = two_gaussians(1.5, size=20)
    found = [Probe(few=count)(specimen)["few"] for count in (3, 300)]
    assert 0.5 < found[0] < found[1] - 0.05


def test_neighbours_see_what_no_line_separates() -> None:
    codes = 2 * draws(1_500, 2)
    labels = (codes[:, 0] * codes[:, 1] > 0).long()
    train = Samples(data=codes[:1_000], codes=codes[:1_000], labels=labels[:1_000])
    figures = Probe()(specimen_of(codes[1_000:], labels=labels[1_000:], train=train))
    assert figures["linear"] < 0.65
    assert figures["neighbours"] > 0.95


def test_samples_that_were_trained_on_are_not_judged() -> None:
    specimen = two_gaussians(0.0, fit=400, judged=10, size=5)
    train = specimen.train
    seen = replace(specimen, data=train.data, codes=train.codes, labels=train.labels)
    assert Probe(nearest=1)(seen)["neighbours"] < 0.7  # else each would be its own neighbour


def test_probes_need_labels_of_training_samples() -> None:
    data = draws(30, 2)
    with pytest.raises(NotApplicableError, match="labels of training samples"):
        Probe()(specimen_of(data, labels=torch.arange(30) % 2, train=Samples(data=data + 1, codes=data)))
    one = torch.zeros(30).long()
    with pytest.raises(NotApplicableError, match="two classes"):
        Probe()(specimen_of(data, labels=one, train=Samples(data=data + 1, codes=data, labels=one)))
