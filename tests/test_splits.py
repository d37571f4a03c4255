"""Splits: shares at random, by label, by group and as the data come with, sets of their own, and what a run keeps of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from fakes import Blobs
from sklearn.model_selection import StratifiedShuffleSplit

import otae
from otae.config import DataConfig, Experiment
from otae.errors import ConfigError, DataError, RunError
from otae.kept_data import find_splits
from otae.signature import check
from otae.splits import Splits, draw_splits, open_data, split
from otae.training import fit

RANDOM = np.random.default_rng(0)


def configure(**options: Any) -> DataConfig:
    """Returns a data section."""
    return check(DataConfig, {"name": "blobs", **options}, "data")


class Official(Blobs):
    """Creates points whose last fifth is an official test."""

    def __init__(self, size: int = 60) -> None:
        super().__init__(size)
        self.official_split = torch.where(torch.arange(size) < 0.8 * size, 0, 2)


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        ({"validation": 0, "test": 0}, [60, 0, 0]),
        ({"validation": 0}, [48, 0, 12]),
        ({"test": 0}, [54, 6, 0]),
        ({"validation": 0.25, "test": 0.25}, [30, 15, 15]),
    ],
)
def test_a_share_of_none_leaves_a_split_out(options: dict[str, Any], sizes: list[int]) -> None:
    splits = draw_splits(Blobs(60), configure(**options), seed=0)
    assert list(splits.sizes.values()) == sizes
    assert sorted(splits.train + splits.validation + splits.test) == list(range(60))


@pytest.mark.parametrize("seed", range(5))
def test_each_class_has_its_share_in_each_split_up_to_one_sample(seed: int) -> None:
    blobs = Blobs(203, seed=seed)
    splits = draw_splits(blobs, configure(split_by="labels", validation=0.2, test=0.3), seed)
    counts = {name: np.bincount(blobs.labels[indices]) for name, indices in splits.by_name.items()}
    shares = {"train": 0.5, "validation": 0.2, "test": 0.3}
    for name, found in counts.items():
        assert np.abs(found - shares[name] * np.bincount(blobs.labels)).max() < 1.5
    [(_, other)] = StratifiedShuffleSplit(1, test_size=0.3, random_state=0).split(blobs.labels, blobs.labels)
    assert np.abs(counts["test"] - np.bincount(blobs.labels[other])).max() <= 2


@pytest.mark.parametrize("seed", range(5))
def test_samples_of_one_group_stay_together(seed: int, tmp_path: Path) -> None:
    groups = np.random.default_rng(seed).integers(0, 25, 200)
    np.save(tmp_path / "g.npy", groups)
    config = configure(split_by={"groups": str(tmp_path / "g.npy")}, validation=0.2, test=0.2)
    splits = draw_splits(Blobs(200), config, seed)
    owned = [set(groups[indices]) for indices in splits.by_name.values()]
    assert len(set.union(*owned)) == sum(map(len, owned))
    largest = np.bincount(groups).max()
    assert abs(len(splits.validation) - 40) < largest
    assert abs(len(splits.test) - 40) < largest


def test_groups_come_from_tables_and_lines(tmp_path: Path) -> None:
    names = [f"patient {number % 7}" for number in range(60)]
    pd.DataFrame({"who": names, "x": range(60)}).to_csv(tmp_path / "g.csv", index=False)
    (tmp_path / "g.txt").write_text("\n".join(names))
    rules = ({"groups": str(tmp_path / "g.csv"), "column": "who"}, {"groups": str(tmp_path / "g.txt")})
    first, second = (draw_splits(Blobs(60), configure(split_by=rule), seed=3) for rule in rules)
    assert first == second
    with pytest.raises(DataError, match=r"No column named 'whom'.*Did you mean 'who'"):
        draw_splits(Blobs(60), configure(split_by=rules[0] | {"column": "whom"}), seed=0)
    with pytest.raises(DataError, match="the group of 60 samples, where there are 61"):
        draw_splits(Blobs(61), configure(split_by=rules[1]), seed=0)
    (tmp_path / "g.txt").write_text("a\nb\n" * 30)
    with pytest.raises(DataError, match="2 groups cannot be shared by 3 splits"):
        draw_splits(Blobs(60), configure(split_by=rules[1]), seed=0)


def test_the_official_split_is_kept_and_what_it_lacks_is_drawn_from_its_training() -> None:
    splits = draw_splits(Official(60), configure(split_by="official"), seed=0)
    assert splits.test == list(range(48, 60))
    assert len(splits.validation) == 6
    assert max(splits.validation) < 48
    with pytest.raises(DataError, match="has no official split as it is configured"):
        draw_splits(Blobs(60), configure(split_by="official"), seed=0)


def test_indices_of_their_own_are_taken_and_the_rest_is_shared(tmp_path: Path) -> None:
    np.save(tmp_path / "test.npy", np.array([3, 1, 59]))
    (tmp_path / "validation.txt").write_text("7\n8\n")
    own = {"test": {"indices": str(tmp_path / "test.npy")}}
    splits = draw_splits(Blobs(60), configure(**own, validation=0.1), seed=0)
    assert splits.test == [1, 3, 59]
    assert len(splits.validation) == 6
    both = draw_splits(Blobs(60), configure(**own, validation={"indices": str(tmp_path / "validation.txt")}), seed=0)
    assert both.validation == [7, 8]
    assert len(both.train) == 55


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1.5], "values of type float64, where indices are needed"),
        ([60], "from 60 to 60, where the 60 samples are counted from 0 to 59"),
        ([5, 5], "names the sample 5 more than once"),
        (np.zeros((0,), int), "holds no index"),
        (np.zeros((2, 2), int), r"an array of shape \(2, 2\), where one row is needed"),
    ],
)
def test_indices_that_do_not_fit_are_told(values: Any, told: str, tmp_path: Path) -> None:
    np.save(tmp_path / "i.npy", np.asarray(values))
    with pytest.raises(DataError, match=told):
        draw_splits(Blobs(60), configure(test={"indices": str(tmp_path / "i.npy")}), seed=0)


def test_one_sample_is_in_one_split(tmp_path: Path) -> None:
    np.save(tmp_path / "i.npy", [4, 5])
    own = {"indices": str(tmp_path / "i.npy")}
    with pytest.raises(DataError, match="the sample 4 is in the validation split already"):
        draw_splits(Blobs(60), configure(test=own, validation=own), seed=0)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"validation": {}}, "give either path"),
        ({"test": {"path": "a", "indices": "b"}}, "give either path"),
        ({"test": {"paht": "a"}}, r"test\.paht: unknown option.*Did you mean 'path'"),
        ({"split_by": "label"}, "'random', 'labels' or 'official'"),
        ({"validation": 0.5, "test": 0.5}, "leave nothing to train on"),
    ],
)
def test_what_no_split_means_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        configure(**options)


def test_splits_come_back_from_their_text() -> None:
    splits = split(1000, configure(), seed=1)
    assert Splits.unpack(splits.pack(), 1000) == splits
    assert len(splits.pack()) < 400
    for text, count in ((splits.pack(), 999), ("AAAA", 3), ("é", 3)):
        with pytest.raises(ValueError, match=r"splits|ASCII"):
            Splits.unpack(text, count)


@pytest.fixture
def values(values: dict[str, Any]) -> dict[str, Any]:
    """Returns the plain values of an experiment of one epoch."""
    return {**values, "training": {"epochs": 1}}


@pytest.mark.slow
def test_a_run_without_validation_and_test_trains_is_judged_and_reported(
    values: dict[str, Any], tmp_path: Path
) -> None:
    values["data"] |= {"validation": 0, "test": 0}
    run = otae.train(otae.load_config(values), tmp_path / "run")
    assert list(run.metrics) == ["all"]
    assert "Samples of all splits together" in (run.path / "report.html").read_text()
    assert "validation" not in (run.path / "metrics.csv").read_text()
    with pytest.raises(ConfigError, match=r"no samples in the split 'test'. Allowed: train, all"):
        otae.evaluate(run, splits=["test"])


@pytest.mark.parametrize("part", [{"early_stopping": {}}, {"scheduler": "reduce-lr-on-plateau"}])
def test_what_judges_by_the_validation_needs_one(values: dict[str, Any], part: dict[str, Any]) -> None:
    values["data"]["validation"] = 0
    values["training"] |= part
    with pytest.raises(ConfigError, match=r"judges by the validation split, which data\.validation = 0 leaves out"):
        otae.load_config(values)


def test_a_run_keeps_its_split_whatever_becomes_of_the_file(values: dict[str, Any], tmp_path: Path) -> None:
    np.save(tmp_path / "i.npy", [0, 2, 4])
    values["data"] |= {"test": {"indices": str(tmp_path / "i.npy")}}
    run = otae.Run.create(tmp_path / "run", otae.load_config(values))
    fit(run)
    (tmp_path / "i.npy").unlink()
    assert find_splits(run, run.dataset).test == [0, 2, 4]
    text = (run.path / "data.json").read_text()
    (run.path / "data.json").write_text(text.replace('"splits": "', '"splits": "!'))
    with pytest.raises(RunError, match=r"data\.json is corrupt"):
        find_splits(run, run.dataset)


def table(path: Path, data: dict[str, Any]) -> Experiment:
    """Returns an experiment on a table."""
    model = {"latent_dim": 2, "encoder": "linear", "decoder": "linear", "prior": "gaussian"}
    fit_term = {"cost": "paired", "source": "data", "target": "reconstruction"}
    section = {"name": "table", "path": str(path / "d.csv"), "label": "kind", **data}
    values = {"data": section, "model": model, "objective": {"fit": fit_term}, "training": {"epochs": 1}}
    return otae.load_config(values)


def test_a_set_of_its_own_is_scaled_and_labelled_as_the_data(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": RANDOM.normal(5, 2, 40), "kind": ["a", "b"] * 20})
    frame.to_csv(tmp_path / "d.csv", index=False)
    frame.iloc[1:9:2].assign(x=[1.0, 2, 3, 4]).to_csv(tmp_path / "new.csv", index=False)
    experiment = table(tmp_path, {"test": str(tmp_path / "new.csv"), "validation": 0})
    dataset = open_data(experiment)
    splits = draw_splits(dataset, experiment.data, 0)
    assert splits.test == [40, 41, 42, 43]
    x = frame["x"].to_numpy()
    right = (np.array([1, 2, 3, 4]) - x.mean()) / x.std()
    np.testing.assert_allclose(dataset.__getitems__([40, 41, 42, 43])[:, 0], right, rtol=1e-5)
    np.testing.assert_allclose(dataset.__getitems__([43, 0])[:, 0], [right[3], (x[0] - x.mean()) / x.std()], rtol=1e-5)
    assert dataset.labels is not None
    assert dataset.labels[40:].tolist() == [1, 1, 1, 1]
    frame.assign(kind="c").to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match=r"data\.test: the class 'c' does not occur in the data"):
        open_data(experiment)


def test_a_dataset_without_a_path_has_no_set_of_its_own(values: dict[str, Any], tmp_path: Path) -> None:
    values["data"]["test"] = str(tmp_path)
    with pytest.raises(ConfigError, match=r"data\.test: the dataset 'blobs' reads no path.*indices"):
        open_data(otae.load_config(values))
