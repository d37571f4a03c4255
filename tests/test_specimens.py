"""What metrics look at: the splits, read and encoded once, within bounds."""

from __future__ import annotations

import pytest
import torch

from otae import Run
from otae.build import open_dataset
from otae.evaluation import Specimens, evaluate, specimens
from otae.training import split

pytestmark = pytest.mark.usefixtures("_fake_metrics")


def test_the_samples_held_are_bounded(run: Run) -> None:
    figures = evaluate(run, metrics=["sizes"], samples=7, limit=5)
    assert figures["test"]["sizes"] == figures["all"]["sizes"] == {"data": 5.0, "generations": 7.0}


def test_the_specimen_is_the_split_and_what_the_model_makes_of_it(run: Run) -> None:
    specimen = Specimens.of_run(run, samples=9)["test"]
    dataset, indices = open_dataset(run.experiment), split(60, run.experiment.data, run.experiment.seed)
    torch.testing.assert_close(specimen.data, dataset.__getitems__(indices.test))
    torch.testing.assert_close(specimen.train.data, dataset.__getitems__(indices.train))
    torch.testing.assert_close(specimen.train.codes, run.model.encode(specimen.train.data))
    torch.testing.assert_close(specimen.codes, run.model.encode(specimen.data))
    torch.testing.assert_close(specimen.reconstructions, run.model.reconstruct(specimen.data))
    torch.testing.assert_close(specimen.generations, run.model.decode(specimen.prior))
    assert specimen.draws is not None
    assert not torch.equal(specimen.draws, specimen.codes)
    assert specimen.model is run.model
    assert dict(specimen.objective or ()).keys() == run.experiment.objective.keys()
    assert specimen.labels is not None
    assert dataset.labels is not None
    assert torch.equal(specimen.labels, dataset.labels[indices.test])


def test_data_are_read_and_encoded_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    reads, encodings = [], []
    kind, encoder = type(run.dataset), type(run.model.encoder)
    read, encode = kind.__getitems__, encoder.forward
    monkeypatch.setattr(kind, "__getitems__", lambda self, indices: (reads.extend(indices), read(self, indices))[1])
    monkeypatch.setattr(encoder, "forward", lambda self, x: (encodings.append(len(x)), encode(self, x))[1])
    found = Specimens.of_run(run, samples=9, splits=["test", "all", "train"], anyway=True)
    assert [len(found[name].data) for name in found] == [12, 60, 42]
    assert sorted(reads) == list(range(60))
    assert sum(encodings) == 60


def test_of_large_samples_fewer_are_held(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(specimens, "_VALUES", 6 * 20)
    monkeypatch.setattr(specimens, "_LEAST", 15)
    held = Specimens.of_run(run)["all"]
    assert len(held.data) == len(held.generations) == len(held.train.data) == 20
    monkeypatch.setattr(specimens, "_VALUES", 6)
    assert len(Specimens.of_run(run)["all"].data) == 15
    assert len(Specimens.of_run(run, limit=3)["all"].data) == 3


def test_a_limited_split_keeps_samples_and_labels_together(run: Run) -> None:
    whole, part = Specimens.of_run(run, samples=1)["all"], Specimens.of_run(run, samples=1, limit=11)["all"]
    assert whole.labels is not None
    assert part.labels is not None
    known = {tuple(sample.tolist()): label for sample, label in zip(whole.data, whole.labels.tolist(), strict=True)}
    assert [known[tuple(sample.tolist())] for sample in part.data] == part.labels.tolist()
    assert len(part.data.unique(dim=0)) == 11
