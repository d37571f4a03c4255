"""The way from raw data to samples and back, of each dataset that keeps one: its own samples come out, and back in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import otae
from otae.errors import DataError
from otae.interfaces import Dataset, Preparation
from otae_datasets import Table, array_file, memory_limit

RANDOM = np.random.default_rng(0)


def keep(dataset: Dataset) -> Preparation:
    """Returns the preparation of a dataset, as a run keeps it."""
    assert dataset.preparation is not None
    assert dataset.preparations is not None
    return dataset.preparations.from_dict(json.loads(json.dumps(dataset.preparation.to_dict())))


def test_a_table_comes_back_in_its_own_kinds(tmp_path: Path) -> None:
    frame = pd.DataFrame({
        "size": RANDOM.normal(5, 2, 40), "hits": RANDOM.integers(0, 9, 40), "code": RANDOM.choice([7, 10, 11], 40),
        "kind": RANDOM.choice(["u", "v"], 40),
    })  # fmt: skip
    frame.to_csv(tmp_path / "d.csv", index=False)
    dataset = Table(tmp_path / "d.csv", categorical=["code"], units={"size": "cm"})
    assert [feature.title for feature in dataset.features[:2]] == ["size (cm)", "hits"]
    back = keep(dataset).restore(dataset.__getitems__(range(40)))
    assert [str(kind) for kind in back.dtypes] == ["float64", "int64", "category", "category"]
    assert back["code"].cat.categories.tolist() == [7, 10, 11]
    np.testing.assert_allclose(back["size"], frame["size"], rtol=1e-5)
    for name in ("hits", "code", "kind"):
        assert back[name].tolist() == frame[name].tolist()
    assert keep(dataset).to_dict()["columns"][0]["unit"] == "cm"


def test_large_whole_labels_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,id\n1,1234567\n2,1234568\n3,0.5\n")
    assert Table(tmp_path / "d.csv", label="id").class_names == ("0.5", "1234567", "1234568")


def test_a_compressed_array_beyond_the_memory_is_refused_by_its_header(tmp_path: Path, monkeypatch: Any) -> None:
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((1000, 100)))
    file = array_file.ArrayFile(tmp_path / "x.npz")
    assert file.read("x").shape == (1000, 100)
    monkeypatch.setattr(memory_limit, "find_free_memory", lambda: 100_000)
    with pytest.raises(
        DataError, match=r"'x' of shape \(1000, 100\) takes 0\.8 MB of memory, where 0\.1 MB are free.*\.npy"
    ):
        file.read("x")


def test_the_free_memory_is_known_here() -> None:
    free = memory_limit.find_free_memory()
    assert free is None or free > 0


@pytest.mark.parametrize("columns", [2_000, 8_000])
def test_a_wide_header_is_read_once_for_each_column(tmp_path: Path, columns: int, monkeypatch: Any) -> None:
    """The names are compared by hash: no name is compared with all others."""
    compared = [0]

    class Counted(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            compared[0] += 1
            return str.__eq__(self, other)

    from otae_datasets import columns as module

    names = [Counted(f"g{number}") for number in range(columns)]
    assert module._places(names, names, "here") == [*range(columns)]
    assert compared[0] < 10 * columns


def test_a_tab_may_be_written_as_it_is_on_a_command_line(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("no\ton\n1\t2\n3\t4\n")
    options = [rf"data.path={tmp_path / 'd.csv'}", r"data.delimiter=\t", "data.columns=[no, on]"]
    data = otae.load_config("ae", ["data.name=table", *options]).data
    assert otae.datasets.create("table", **data.options).data_shape == (2,)
    (tmp_path / "d.csv").write_text("no|on\n1|2\n3|4\n")
    assert otae.datasets.create("table", path=tmp_path / "d.csv", delimiter="|").data_shape == (2,)
    with pytest.raises(DataError, match=r"a tab does not part the first line, and a bar parts it into 2 names"):
        otae.datasets.create("table", path=tmp_path / "d.csv", delimiter=r"\t")
