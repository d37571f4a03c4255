"""The evaluation: which splits and metrics, from which seed, and what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import otae
from otae import Metric, Run
from otae.build import open_dataset
from otae.errors import ConfigError, NonFiniteError, RunError, UnknownPluginError
from otae.evaluation import Specimens, evaluate, specimens
from otae.interfaces import Specimen
from otae.training import split

METRICS = ["distortion", "frechet", "prior-mmd", "reconstruction"]


class Sizes(Metric):
    """Creates the sizes of what it is given."""

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"data": float(len(specimen.data)), "generations": float(len(specimen.generations))}


class Classes(Metric):
    """Creates the number of classes."""

    needs_labels = True

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        assert specimen.labels is not None
        return {"classes": float(len(specimen.labels.unique()))}


class Careless(Metric):
    """Creates a draw from the global random states."""

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"torch": float(torch.rand(())), "numpy": float(np.random.rand())}


class Undefined(Metric):
    """Creates nothing sensible."""

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"fine": 1.0, "nonsense": float("nan")}


class Choosy(Metric):
    """Creates a metric that cannot be built without its option."""

    def __init__(self, choice: int) -> None:
        super().__init__()
        self.choice = choice

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"choice": float(self.choice)}


@pytest.fixture
def _metrics() -> Iterator[None]:
    offered = {"sizes": Sizes, "classes": Classes, "careless": Careless, "undefined": Undefined, "choosy": Choosy}
    for name, metric in offered.items():
        otae.metrics.register(name, metric)
    yield
    for name in offered:
        otae.metrics.unregister(name)


@pytest.fixture
def run(finished: Run, tmp_path: Path) -> Run:
    return Run(shutil.copytree(finished.path, tmp_path / "run"))


def test_every_metric_judges_the_test_split_and_all_samples(run: Run) -> None:
    figures = evaluate(run, samples=50)
    assert {name: sorted(split) for name, split in figures.items()} == {"test": METRICS, "all": METRICS}
    assert figures["test"] != figures["all"]
    assert run.metrics == figures


def test_a_path_is_as_good_as_a_run(run: Run) -> None:
    assert evaluate(str(run.path), ["reconstruction"]) == evaluate(run, ["reconstruction"])
    assert json.loads((run.path / "evaluation.json").read_text())["test"].keys() == {"reconstruction"}


def test_the_seed_of_the_run_decides_every_draw(run: Run) -> None:
    torch.manual_seed(1)
    first = evaluate(run, samples=50, limit=10)
    torch.manual_seed(2)
    assert evaluate(run, samples=50, limit=10) == first


@pytest.mark.usefixtures("_metrics")
def test_a_careless_metric_is_seeded_and_leaves_no_trace(run: Run) -> None:
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = evaluate(run, ["careless"], samples=5)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert evaluate(run, ["sizes", "careless"], samples=5)["all"]["careless"] == first["all"]["careless"]


@pytest.mark.usefixtures("_metrics")
def test_the_samples_held_are_bounded(run: Run) -> None:
    figures = evaluate(run, ["sizes"], samples=7, limit=5)
    assert figures["test"]["sizes"] == figures["all"]["sizes"] == {"data": 5.0, "generations": 7.0}


def test_the_specimen_is_the_split_and_what_the_model_makes_of_it(run: Run) -> None:
    specimen = Specimens(run, samples=9)["test"]
    dataset, indices = open_dataset(run.experiment), split(60, run.experiment.data, run.experiment.seed)
    torch.testing.assert_close(specimen.data, dataset.__getitems__(indices.test))
    torch.testing.assert_close(specimen.train, dataset.__getitems__(indices.train))
    torch.testing.assert_close(specimen.codes, run.model.encode(specimen.data))
    torch.testing.assert_close(specimen.reconstructions, run.model.reconstruct(specimen.data))
    torch.testing.assert_close(specimen.generations, run.model.decode(specimen.prior))
    assert specimen.labels is not None
    assert dataset.labels is not None
    assert torch.equal(specimen.labels, dataset.labels[indices.test])


def test_of_large_samples_fewer_are_held(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(specimens, "_VALUES", 6 * 20)
    monkeypatch.setattr(specimens, "_LEAST", 15)
    held = Specimens(run)["all"]
    assert len(held.data) == len(held.generations) == len(held.train) == 20
    monkeypatch.setattr(specimens, "_VALUES", 6)
    assert len(Specimens(run)["all"].data) == 15
    assert len(Specimens(run, limit=3)["all"].data) == 3


def test_known_factors_are_handed_to_the_metrics_that_need_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Needy(Classes):
        needs_factors = True

    otae.metrics.register("needy", Needy)
    assert evaluate(run, ["needy"], samples=5)["test"] == {}
    dataset = open_dataset(run.experiment)
    factors = torch.arange(2.0 * len(dataset)).reshape(-1, 2)
    monkeypatch.setattr(type(dataset), "factors", factors)
    monkeypatch.setattr(type(dataset), "factor_names", ("a", "b"))
    part = Specimens(run, samples=1, limit=11)["all"]
    assert part.factor_names == ("a", "b")
    for sample, row in zip(part.data, part.factors, strict=True):
        assert torch.equal(dataset[int(row[0]) // 2], sample)
    assert set(evaluate(run, ["needy"], samples=5)["test"]) == {"needy"}
    otae.metrics.unregister("needy")


def test_a_limited_split_keeps_samples_and_labels_together(run: Run) -> None:
    whole, part = Specimens(run, samples=1)["all"], Specimens(run, samples=1, limit=11)["all"]
    assert whole.labels is not None
    assert part.labels is not None
    known = {tuple(sample.tolist()): label for sample, label in zip(whole.data, whole.labels.tolist(), strict=True)}
    assert [known[tuple(sample.tolist())] for sample in part.data] == part.labels.tolist()
    assert len(part.data.unique(dim=0)) == 11


@pytest.mark.usefixtures("_metrics")
@pytest.mark.parametrize(("labelled", "expected"), [(True, {"sizes", "classes"}), (False, {"sizes"})])
def test_a_metric_that_needs_labels_is_skipped_without_them(
    run: Run, monkeypatch: pytest.MonkeyPatch, labelled: bool, expected: set[str]
) -> None:
    dataset = open_dataset(run.experiment)
    dataset.labels = dataset.labels if labelled else None
    monkeypatch.setattr("otae.evaluation.specimens.open_dataset", lambda _: dataset)
    assert evaluate(run, ["sizes", "classes"], samples=5)["test"].keys() == expected


@pytest.mark.usefixtures("_metrics")
def test_a_figure_that_is_not_finite_is_an_error_that_names_it(run: Run) -> None:
    with pytest.raises(NonFiniteError, match=r"'undefined' says nonsense = nan on the split 'test'"):
        evaluate(run, ["sizes", "undefined"], samples=5)
    assert not (run.path / "evaluation.json").exists()


def test_an_unknown_metric_is_an_error_with_the_nearest_match(run: Run) -> None:
    with pytest.raises(UnknownPluginError, match=r"'freche'.*Did you mean 'frechet'"):
        evaluate(run, ["freche"])


@pytest.mark.usefixtures("_metrics")
def test_a_metric_that_cannot_be_built_spoils_only_itself(run: Run) -> None:
    otae.metrics.unregister("undefined")
    try:
        with pytest.warns(UserWarning, match=r"'choosy' is skipped.*choice"):
            figures = evaluate(run, samples=50)
    finally:
        otae.metrics.register("undefined", Undefined)
    assert figures["test"].keys() == {*METRICS, "sizes", "classes", "careless"}
    with pytest.raises(ConfigError, match="choice"):
        evaluate(run, ["choosy"])


@pytest.mark.parametrize("option", ["samples", "limit"])
def test_a_size_below_1_is_refused(run: Run, option: str) -> None:
    with pytest.raises(ConfigError, match=f"{option} of at least 1, got 0"):
        evaluate(run, **{option: 0})


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no run"):
        evaluate(tmp_path)
