"""Datasets of Hugging Face: what is read from folders and the cache, and every wrong name that is refused with what is there."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from otae.config import DataConfig
from otae.errors import ConfigError, DataError
from otae.splits import draw_splits
from otae.testing import DatasetSuite
from otae_datasets import HF

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (6, 5, 4, 3), dtype=np.uint8)
VECTORS = RANDOM.standard_normal((6, 3)).astype(np.float32)
KINDS = ["b", "a", "b", "c", "a", "b"]


@pytest.fixture(autouse=True)
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    asked: list[Any] = []

    def refuse(host: Any, *args: Any) -> None:
        asked.append(host)
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(logging.getLogger("datasets"), "propagate", False)
    yield
    assert not asked, "the network was asked"


def png(pixels: Any) -> dict[str, Any]:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return {"bytes": stream.getvalue(), "path": None}


def pictures(arrays: Any = PIXELS) -> datasets.Dataset:
    features = datasets.Features({"picture": datasets.Image(), "kind": datasets.ClassLabel(names=["c", "b", "a"])})
    cells = [png(each) for each in arrays]
    return datasets.Dataset.from_dict({"picture": cells, "kind": KINDS[: len(cells)]}, features=features)


def vectors() -> datasets.Dataset:
    return datasets.Dataset.from_dict({"x": VECTORS, "kind": KINDS, "age": list(range(6))})


def saved(rows: Any, folder: Path) -> str:
    rows.save_to_disk(str(folder))
    return str(folder)


def files(folder: Path, suffix: str, rows: Any = None) -> str:
    folder.mkdir()
    rows = vectors() if rows is None else rows
    (rows.to_parquet if suffix == "parquet" else rows.to_json)(str(folder / f"train.{suffix}"))
    return str(folder)


class TestPictures(DatasetSuite):
    plugin = HF

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "options", {"path": saved(pictures(), tmp_path / "d"), "label": "kind"})


@pytest.mark.parametrize("streaming", [False, True])
class TestVectors(DatasetSuite):
    plugin = HF

    @pytest.fixture(autouse=True)
    def folder(self, streaming: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        options = {"path": files(tmp_path / "d", "parquet"), "label": "kind", "streaming": streaming, "limit": 5}
        monkeypatch.setattr(type(self), "options", options)


@pytest.mark.parametrize("stream", [{}, {"streaming": True, "limit": 100}], ids=["mapped", "streamed"])
@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("L", 1)])
def test_pictures_keep_their_pixels_and_classes(tmp_path, mode, channels, stream) -> None:
    dataset = HF(files(tmp_path / "d", "parquet", pictures()), label="kind", mode=mode, **stream)
    assert (dataset.data_shape, dataset.value_range) == ((channels, 5, 4), (0, 1))
    expected = [np.asarray(Image.fromarray(each).convert(mode)).reshape(5, 4, channels) for each in PIXELS]
    order = [4, 0, 5]
    batch = torch.tensor(np.stack(expected)[order] / 255, dtype=torch.float32).permute(0, 3, 1, 2)
    torch.testing.assert_close(dataset.__getitems__(order), batch)
    assert (dataset.class_names, dataset.labels.tolist()) == (("c", "b", "a"), [1, 2, 1, 0, 2, 1])


@pytest.mark.parametrize("suffix", ["parquet", "json"])
@pytest.mark.parametrize("limit", [2, 100])
def test_streaming_keeps_the_first_rows_and_fills_no_cache(tmp_path, suffix, limit) -> None:
    dataset = HF(files(tmp_path / "d", suffix), columns=["x"], label="kind", streaming=True, limit=limit)
    count = min(limit, 6)
    torch.testing.assert_close(dataset.__getitems__(range(count)), torch.tensor(VECTORS[:count]))
    assert len(dataset) == count
    assert [dataset.class_names[number] for number in dataset.labels] == KINDS[:count]
    assert not list((tmp_path / "cache").rglob("*.arrow"))


def test_columns_are_joined_in_the_order_asked_for(tmp_path) -> None:
    path = saved(vectors(), tmp_path / "d")
    joined = torch.tensor(np.column_stack([range(6), VECTORS]), dtype=torch.float32)
    torch.testing.assert_close(HF(path, columns=["age", "x"]).__getitems__(range(6)), joined)
    assert HF(path).data_shape == (4,), "all columns of numbers, without the text"
    assert HF(path, label="age").data_shape == (3,), "the label is no sample"
    assert HF(path, columns=["age"]).data_shape == (1,)


@pytest.mark.parametrize(
    ("high", "scaling", "divisor", "value_range"),
    [(256, "auto", 255, (0, 1)), (2, "auto", 1, (0, 1)), (256, "none", 1, None)],
)
def test_arrays_of_bytes_become_images(tmp_path, high, scaling, divisor, value_range) -> None:
    values = RANDOM.integers(0, high, (4, 6, 5, 3), dtype=np.uint8)
    features = datasets.Features({"x": datasets.Array3D((6, 5, 3), "uint8")})
    path = saved(datasets.Dataset.from_dict({"x": values}, features=features), tmp_path / "d")
    dataset = HF(path, scaling=scaling)
    expected = torch.tensor(values.transpose(0, 3, 1, 2) / divisor, dtype=torch.float32)
    torch.testing.assert_close(dataset.__getitems__(range(4)), expected)
    assert dataset.value_range == value_range
    assert HF(path, layout="none").data_shape == (6, 5, 3)


def test_a_name_is_found_in_the_cache_without_the_network(tmp_path) -> None:
    datasets.load_dataset(files(tmp_path / "pets", "parquet"))
    dataset = HF("pets", columns=["x"])
    torch.testing.assert_close(dataset[3], torch.tensor(VECTORS[3]))
    (arrow,) = (tmp_path / "cache").rglob("*.arrow")
    assert len(HF("pets", revision=arrow.parent.name, streaming=True, limit=4)) == 4
    with pytest.raises(DataError, match=rf"The cache holds revision {arrow.parent.name} of 'pets', not 'v2'.*Give"):
        HF("pets", revision="v2")


@pytest.mark.parametrize("streaming", [False, True])
def test_a_name_that_is_not_here_is_not_downloaded(streaming) -> None:
    told = r"'some/one' cannot be opened.*downloads nothing.*load_dataset\('some/one', 'big'\).*download: true"
    with pytest.raises(DataError, match=told):
        HF("some/one", config="big", streaming=streaming, limit=3)
    assert not datasets.config.HF_HUB_OFFLINE, "the setting must come back"


@pytest.mark.parametrize("form", ["saved", "files"])
def test_a_missing_split_is_named_with_those_there_are(tmp_path, form) -> None:
    if form == "saved":
        path = saved(datasets.DatasetDict(train=vectors(), test=vectors().select([1])), tmp_path / "d")
    else:
        path = files(tmp_path / "d", "parquet")
        vectors().select([1]).to_parquet(str(tmp_path / "d" / "test.parquet"))
    assert (len(HF(path)), len(HF(path, split="test"))) == (6, 1)
    with pytest.raises(DataError, match=r"No split named 'tests'. Known: test, train. Did you mean 'test'\?"):
        HF(path, split="tests")


def test_all_splits_come_with_the_official_one(tmp_path: Path) -> None:
    whole = datasets.DatasetDict(
        {"train": vectors(), "validation": vectors().select([1]), "test": vectors().select([2, 3])}
    )
    path = saved(whole, tmp_path / "d")
    data = HF(path, columns=["x"], split="all")
    assert data.official_split is not None
    assert data.official_split.tolist() == [0] * 6 + [1] + [2] * 2
    torch.testing.assert_close(data.__getitems__([6, 7, 8]), torch.tensor(VECTORS[[1, 2, 3]]))
    splits = draw_splits(data, DataConfig(name="hf", split_by="official"), 0)
    assert (splits.validation, splits.test) == ([6], [7, 8])
    assert HF(path, columns=["x"], split="all", limit=7).official_split.tolist() == [0] * 6 + [1]  # type: ignore[union-attr]
    assert HF(path, columns=["x"], split="test").official_split is None


def test_a_split_that_is_no_part_makes_no_official_split(tmp_path: Path) -> None:
    path = saved(datasets.DatasetDict({"train": vectors(), "unsupervised": vectors()}), tmp_path / "d")
    data = HF(path, columns=["x"], split="all")
    assert (len(data), data.official_split) == (12, None)
    with pytest.raises(ConfigError, match="split: all reads whole splits, which a stream has not"):
        HF(path, columns=["x"], split="all", streaming=True, limit=3)


def test_a_split_may_be_cut(tmp_path) -> None:
    path = files(tmp_path / "d", "parquet")
    torch.testing.assert_close(HF(path, split="train[2:4]", columns=["x"])[0], torch.tensor(VECTORS[2]))
    with pytest.raises(DataError, match=r'Instruction "train\[:0\]" corresponds to no data'):
        HF(path, split="train[:0]")
    with pytest.raises(DataError, match=r'cannot be opened: Unknown split "dev".*train'):
        HF(path, split="dev[:2]")


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"columns": ["y"]}, DataError, r"No column named 'y'. Known: age, kind, x"),
        ({"image": "pic"}, DataError, r"No column named 'pic'. Known: age, kind, x"),
        ({"label": "kinds"}, DataError, r"No column named 'kinds'.*Did you mean 'kind'\?"),
        ({"columns": ["kind"]}, DataError, r"column 'kind' holds string, no numbers. Leave it out"),
        ({"image": "x"}, DataError, r"column 'x' holds float32, no pictures. For numbers use the option columns"),
        ({"label": "x"}, DataError, r"label 'x' holds float32, where integers or text are needed"),
        ({"label": "age", "columns": ["age"]}, ConfigError, r"label 'age' cannot be one of the columns"),
        ({"image": "x", "columns": ["x"]}, ConfigError, r"image and columns exclude each other"),
        ({"streaming": True}, ConfigError, r"needs a limit. Set the option limit"),
        ({"revision": "main"}, ConfigError, r"is a folder, which has no revision"),
        ({"config": "big"}, ConfigError, r"saved without configurations. Leave the option config out"),
        ({"split": "train"}, DataError, r"one dataset without splits. Leave the option split out"),
    ],
)
def test_wrong_options_are_refused(tmp_path, options, error, told) -> None:
    with pytest.raises(error, match=told):
        HF(saved(vectors(), tmp_path / "d"), **options)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"x": [[1.0], [2.0, 3.0]]}, r"rows of the column 'x' differ in shape. Pad them"),
        ({"x": [1.0, float("nan")]}, r"sample 1 holds a value that is not finite"),
        ({"x": [1, None]}, r"sample 1 holds a value that is not finite"),
        ({"x": ["a", "b"]}, r"no column of pictures or numbers; it has x \(string\)"),
        ({"x": []}, r"cannot be opened.*Check its files"),
    ],
    ids=["ragged", "NaN", "missing", "text", "empty"],
)
def test_rows_that_are_no_samples_are_refused(tmp_path, columns, told) -> None:
    with pytest.raises(DataError, match=told):
        HF(saved(datasets.Dataset.from_dict(columns), tmp_path / "d"))


def test_a_stream_without_rows_is_refused(tmp_path) -> None:
    path = files(tmp_path / "d", "parquet", vectors().select([]))
    with pytest.raises(DataError, match=r"holds no row. Choose another split"):
        HF(path, streaming=True, limit=3)


def test_a_missing_label_is_named_by_its_row(tmp_path) -> None:
    path = saved(datasets.Dataset.from_dict({"x": [1.0, 2.0], "y": ["a", None]}), tmp_path / "d")
    with pytest.raises(DataError, match=r"row 1 has no 'y'. Give it, or drop the row"):
        HF(path, label="y")


def test_pictures_of_different_sizes_need_a_size(tmp_path) -> None:
    path = saved(pictures([PIXELS[0], PIXELS[1][:4]]), tmp_path / "d")
    assert HF(path, size=4).__getitems__([0, 1]).shape == (2, 3, 4, 4)
    with pytest.raises(DataError, match=r"that of row 0 is \(3, 5, 4\), of row 1 \(3, 4, 4\). Set the option size"):
        HF(path)[1]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ({"bytes": b"<html>404</html>", "path": None}, r"row 1, p' cannot be read as a picture"),
        (png(np.full((3, 3), 40000, dtype=np.uint16)), r"row 1, p' has more than 8 bits a channel"),
        (None, r"row 1, p' holds no picture. Drop the row"),
    ],
    ids=["no picture", "16 bits", "missing"],
)
def test_a_spoilt_picture_is_named_by_its_row(tmp_path, cell, told) -> None:
    features = datasets.Features({"p": datasets.Image()})
    rows = datasets.Dataset.from_dict({"p": [png(PIXELS[0]), cell]}, features=features)
    dataset = HF(saved(rows, tmp_path / "d"))
    with pytest.raises(DataError, match=told):
        dataset[1]


def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ConfigError, match=r"needs the package 'datasets'.*pip install 'otae\[hf\]'"):
        HF(tmp_path)


def test_a_row_without_a_class_is_named(tmp_path) -> None:
    features = datasets.Features({"x": datasets.Value("float32"), "kind": datasets.ClassLabel(names=["a", "b"])})
    path = saved(datasets.Dataset.from_dict({"x": [1.0, 2.0], "kind": [1, -1]}, features=features), tmp_path / "d")
    with pytest.raises(DataError, match=r"row 1 has the class -1, but 'kind' has 2 classes.*-1 means none.*Drop"):
        HF(path, label="kind")
