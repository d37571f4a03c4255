"""IDX files, plain and compressed: what is read from them, and every spoilt file that is refused by name."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from otae.errors import DataError
from otae.interfaces import Dataset, Preparation
from otae.testing import DatasetSuite
from otae_datasets import Idx
from otae_datasets import idx as module

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (6, 5, 4), dtype=np.uint8)
CODES = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}


def idx(array: np.ndarray) -> bytes:
    """Returns an array as an IDX file holds it."""
    header = bytes([0, 0, CODES[array.dtype.name], array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write(folder: Path, zipped: bool = False, **arrays: np.ndarray) -> Path:
    """Returns a folder of files as MNIST has them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        content = idx(array)
        part, what = name.split("_")
        file = f"{part}-{what}-idx{array.ndim}-ubyte"
        (folder / (file + ".gz" * zipped)).write_bytes(gzip.compress(content) if zipped else content)
    return folder


def family(folder: Path, zipped: bool = False) -> Path:
    classes = np.arange(6, dtype=np.uint8)
    test = {"t10k_images": IMAGES[:2], "t10k_labels": classes[:2]}
    return write(folder, zipped, train_images=IMAGES, train_labels=classes, **test)


@pytest.mark.parametrize(("zipped", "part"), [(False, "train"), (True, "all")])
class TestIdx(DatasetSuite):
    plugin = Idx

    @pytest.fixture(autouse=True)
    def files(self, zipped: bool, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "options", {"path": str(family(tmp_path, zipped)), "part": part})


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("below", ["", "raw", "MNIST/raw"])
def test_images_and_labels_are_found_as_torchvision_lays_them_out(tmp_path, below, zipped) -> None:
    family(tmp_path / below, zipped)
    for part, count in (("train", 6), ("test", 2), ("all", 8)):
        dataset = Idx(tmp_path, part=part)
        assert dataset.labels.tolist() == [*range(6), 0, 1][:count] if part != "test" else [0, 1]
        torch.testing.assert_close(
            dataset[count - 1][0] * 255, torch.tensor(IMAGES[5 if part == "train" else 1]).float()
        )
        assert dataset.value_range == (0, 1)
    both = Idx(tmp_path, part="all").__getitems__([7, 0, 6, 5])
    torch.testing.assert_close(both[:, 0] * 255, torch.tensor(IMAGES[[1, 0, 0, 5]]).float())


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("zipped", [False, True])
def test_every_type_of_the_format_is_read(tmp_path, kind, zipped) -> None:
    array = RANDOM.integers(0, 100, (3, 2, 2)).astype(kind)
    content = idx(array)
    (tmp_path / "x").write_bytes(gzip.compress(content) if zipped else content)
    dataset = Idx(tmp_path / "x")
    assert dataset.labels is None
    torch.testing.assert_close(dataset[2][0] * (255 if kind == "uint8" else 1), torch.tensor(array[2]).float())


def test_a_plain_file_is_mapped_and_not_read_whole(tmp_path) -> None:
    with (tmp_path / "x").open("wb") as stream:  # 40 GB that the disk does not hold
        stream.write(bytes([0, 0, 8, 3]) + np.array([10**7, 64, 64], ">u4").tobytes() + b"\xff")
        stream.truncate(16 + 10**7 * 64 * 64)
    assert Idx(tmp_path / "x").__getitems__([10**7 - 1, 0]).flatten(1).sum(1).tolist() == [0, 1]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no IDX file"),
        (b"\x89PNG\r\n", "is no IDX file"),
        (b"\x80\x04\x95pickle", "is no IDX file"),
        (idx(IMAGES)[:9], "damaged: it ends in its header"),
        (idx(IMAGES)[:-1], "damaged"),
        (idx(IMAGES) + b"x", "damaged"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12 + b"x", "damaged"),
        (idx(IMAGES[:0]), "hence no values"),
        (idx(IMAGES[0, 0]), "Reshape it"),
        (idx(np.full((2, 2, 2), np.nan)), "sample 0 holds a value that is not finite"),
    ],
    ids=["empty", "picture", "pickle", "header", "short", "long", "boast", "none", "1-d", "NaN"],
)
def test_a_spoilt_file_is_refused_by_name(tmp_path, content, message, zipped) -> None:
    (tmp_path / "x").write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(DataError, match=rf"x'.*{message}"):
        Idx(tmp_path / "x")


@pytest.mark.parametrize("kept", [30, -9])
def test_a_truncated_compressed_file_is_refused_by_name(tmp_path, kept) -> None:
    (tmp_path / "x").write_bytes(gzip.compress(idx(IMAGES))[:kept])
    with pytest.raises(DataError, match=r"x' is damaged.*Remove it and fetch it again"):
        Idx(tmp_path / "x")


def test_what_is_missing_is_named_with_the_way_to_get_it(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTAE_DATA", str(tmp_path / "store"))
    cure = "Get the data with `otae data fetch kmnist`"
    with pytest.raises(
        DataError, match=rf"no folder '{tmp_path}/KMNIST', nor '{tmp_path}/store/KMNIST'. {cure}. Check"
    ):
        Idx("KMNIST")
    write(tmp_path / "store/KMNIST/raw", train_images=IMAGES)
    with pytest.raises(DataError, match=r"no file '.*train-labels-idx1-ubyte', nor with .gz.*otae data fetch mnist"):
        Idx("KMNIST")
    family(tmp_path / "store/KMNIST/raw")
    assert len(Idx("KMNIST")) == 6


def test_labels_must_fit_the_images(tmp_path) -> None:
    write(tmp_path, train_images=IMAGES, train_labels=np.arange(5, dtype=np.uint8))
    with pytest.raises(DataError, match=r"labels of shape \(5,\) and type uint8, where 6 images need \(6,\)"):
        Idx(tmp_path)
    with pytest.raises(DataError, match=r"holds its own labels. Drop the option labels"):
        Idx(tmp_path, labels="x")


def test_several_sets_in_one_folder_are_told_apart(tmp_path) -> None:
    family(tmp_path / "MNIST/raw")
    family(tmp_path / "KMNIST/raw")
    with pytest.raises(DataError, match=r"holds several sets: .*KMNIST/raw', .*MNIST/raw'. Name one"):
        Idx(tmp_path)


@pytest.mark.parametrize(
    ("folder", "first"),
    [
        ("MNIST", "0"),
        ("FashionMNIST/raw", "T-shirt/top"),
        ("fashion-mnist", "T-shirt/top"),
        ("K_MNIST", "o"),
        ("x", None),
    ],
)
def test_classes_are_named_where_the_folder_tells_the_set(tmp_path, folder, first) -> None:
    names = Idx(family(tmp_path / folder)).class_names
    assert (names and (names[0], len(names))) == (first and (first, 10))


def test_labels_beyond_the_classes_of_the_named_set_have_no_names(tmp_path) -> None:
    write(tmp_path / "MNIST", train_images=IMAGES, train_labels=np.arange(5, 11, dtype=np.uint8))
    assert Idx(tmp_path / "MNIST").class_names is None


@pytest.mark.parametrize("name", ["FashionMNIST", "fashion-mnist"])
def test_fashion_mnist_is_found_where_its_debian_package_puts_it(tmp_path, monkeypatch, name) -> None:
    packaged = family(tmp_path / "usr/share/datasets/fashion-mnist", zipped=True)
    monkeypatch.setattr(module, "_PACKAGED", {"fashionmnist": packaged})
    monkeypatch.chdir(tmp_path)
    dataset = Idx(name)
    assert len(dataset) == 6
    assert dataset.class_names[0] == "T-shirt/top"
    family(tmp_path / name / "raw")
    (tmp_path / name / "raw/train-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(DataError, match=rf"{name}/raw/train-images"):
        Idx(name)  # one's own comes first


def keep(dataset: Dataset) -> Preparation:
    """Returns the preparation of a dataset, as a run keeps it."""
    assert dataset.preparation is not None
    assert dataset.preparations is not None
    return dataset.preparations.from_dict(json.loads(json.dumps(dataset.preparation.to_dict())))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_files_are_read_with_the_divisor_of_training(tmp_path: Path, pack: Any) -> None:
    preparation = keep(Idx(family(tmp_path)))
    (tmp_path / "new").write_bytes(pack(idx(IMAGES[:3] // 255)))  # no more than 1, and yet bytes
    np.testing.assert_allclose(preparation.read(tmp_path / "new")[:, 0], (IMAGES[:3] // 255) / 255, rtol=1e-6)


def test_all_parts_bring_their_official_split(tmp_path: Path) -> None:
    both = Idx(family(tmp_path), part="all")
    assert both.official_split.tolist() == [0] * 6 + [2, 2]
    assert Idx(tmp_path).official_split is None
