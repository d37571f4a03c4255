"""Data in memory: arrays, data frames and datasets, with labels and factors beside them, as files of them would be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.preprocessing import StandardScaler

import otae
from otae.errors import ConfigError, DataError, RunError
from otae.interfaces import InMemory
from otae.testing import DatasetSuite
from otae_datasets import Arrays, Memory, Table

RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {"height": RANDOM.normal(170, 9, 60), "hits": RANDOM.integers(0, 9, 60), "kind": ["a", "b", "c"] * 20}
)
PIXELS = RANDOM.integers(0, 256, (40, 6, 5), dtype=np.uint8)


class Framed(Memory):
    """Holds a data frame."""

    def __init__(self) -> None:
        super().__init__(InMemory(FRAME, "kind", FRAME[["hits"]]))


class Arrayed(Memory):
    """Holds bytes."""

    def __init__(self) -> None:
        super().__init__(InMemory(PIXELS, np.arange(40) % 3))


class TestFrame(DatasetSuite):
    plugin = Framed


class TestArray(DatasetSuite):
    plugin = Arrayed


def test_a_frame_in_memory_is_the_table_of_its_file(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "d.csv", index=False)
    here, file = Memory(InMemory(FRAME, "kind")), Table(tmp_path / "d.csv", label="kind")
    torch.testing.assert_close(here.__getitems__(range(60)), file.__getitems__(range(60)))
    assert here.labels is not None
    assert here.labels.tolist() == file.labels.tolist()  # type: ignore[union-attr]
    assert (here.class_names, here.features) == (file.class_names, file.features)


@pytest.mark.parametrize("values", [PIXELS, PIXELS > 99, PIXELS / 255, torch.from_numpy(PIXELS)])
def test_an_array_in_memory_is_that_of_its_file(values: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.asarray(values))
    here, file = Memory(InMemory(values)), Arrays(tmp_path / "x.npy")
    torch.testing.assert_close(here.__getitems__([3, 0, 39]), file.__getitems__([3, 0, 39]))
    assert (here.data_shape, here.value_range) == (file.data_shape, file.value_range)


def test_a_dataset_is_taken_as_it_is() -> None:
    digits = otae.datasets.create("digits")
    here = Memory(InMemory(digits))
    torch.testing.assert_close(here[7], digits[7])
    assert (len(here), here.class_names) == (1797, digits.class_names)
    labelled = Memory(InMemory(digits, labels=np.zeros(1797, int)))
    assert labelled.labels is not None
    assert int(labelled.labels.max()) == 0


def test_labels_of_text_are_numbered_and_factors_described() -> None:
    table = pd.DataFrame({"shape": ["disc", "box"] * 20, "size": RANDOM.random(40)})
    dataset = Memory(InMemory(PIXELS, labels=["u", "v"] * 20, factors=table))
    assert dataset.class_names == ("u", "v")
    assert dataset.factors is not None
    assert [(kind.name, kind.kind, kind.labels) for kind in dataset.factors.kinds] == [
        ("shape", "categorical", ("box", "disc")),
        ("size", "ordered", None),
    ]
    np.testing.assert_allclose(dataset.factors.column("size"), table["size"])


@pytest.mark.parametrize(
    ("memory", "options", "error", "told"),
    [
        (InMemory(PIXELS, [1, 2]), {}, DataError, r"labels have shape \(2,\), where 40 samples need one each"),
        (InMemory(PIXELS, factors=np.zeros((3, 2))), {}, DataError, "factors of 3 samples, where there are 40"),
        (InMemory(FRAME, "knd"), {}, DataError, r"No column named 'knd'.*Did you mean 'kind'"),
        (InMemory(FRAME, "kind"), {"columns": ["kind"]}, ConfigError, "the model would see the answer"),
        (InMemory(FRAME), {"units": {"heigt": "cm"}}, ConfigError, "units: No column named 'heigt'.*'height'"),
        (InMemory(np.array(["a", "b"])), {}, DataError, "where numbers are needed"),
        (InMemory(PIXELS / 255), {"value_range": (1, 0)}, ConfigError, "value_range must be"),
    ],
)
def test_what_does_not_fit_is_told(memory: InMemory, options: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        Memory(memory, **options)


def configure() -> otae.Experiment:
    """Returns an experiment of one epoch, configured for other data."""
    model = {"latent_dim": 2, "encoder": "linear", "decoder": "linear", "prior": "gaussian"}
    fit = {"cost": "paired", "source": "data", "target": "reconstruction"}
    values = {"data": {"name": "digits", "test": 0.25}, "model": model, "objective": {"fit": fit}}
    return otae.load_config({**values, "training": {"epochs": 1}})


def test_a_run_on_memory_keeps_how_its_data_were_scaled_and_asks_for_them(tmp_path: Path) -> None:
    run = otae.train(configure(), tmp_path / "run", data=FRAME, labels="kind", evaluation=False, report=False)
    assert (run.experiment.data.name, run.experiment.data.test) == ("memory", 0.25)
    scale = StandardScaler().fit(FRAME[["height", "hits"]].to_numpy())
    rows = scale.transform(FRAME[["height", "hits"]].to_numpy()).astype("float32")
    model = otae.load(run.path)
    np.testing.assert_allclose(model.transform(FRAME), model.encode(rows), rtol=1e-4, atol=1e-5)
    with pytest.raises(RunError, match=r"trained on data in memory.*60 samples of shape \(2,\), of a table with the columns "
                       r"height, hits.*otae\.Run\('.*', data=…\)"):  # fmt: skip
        otae.evaluate(run.path)
    again = otae.Run(run.path, data=FRAME, labels="kind")
    assert "reconstruction" in otae.evaluate(again, metrics=["reconstruction"], splits=["test"])["test"]
    with pytest.raises(RunError, match="60 samples became 59"):
        otae.evaluate(otae.Run(run.path, data=FRAME.iloc[1:], labels="kind"), metrics=["reconstruction"])


def test_labels_without_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="labels and factors go with data in memory"):
        otae.train(configure(), tmp_path / "run", labels=[1])
    assert not (tmp_path / "run").exists()
