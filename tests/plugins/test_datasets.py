"""Digits and arrays: every format that they read, and every spoilt file that they refuse by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import otae
from otae.errors import ConfigError, DataError
from otae.testing import DatasetSuite
from otae_datasets import Arrays, Digits, Images, soundness

RANDOM = np.random.default_rng(0)
BYTES = RANDOM.integers(0, 256, (6, 7, 5, 3), dtype=np.uint8)
TABLE = RANDOM.normal(size=(6, 4))


class TestDigits(DatasetSuite):
    plugin = Digits


class TestMappedArrays(DatasetSuite):
    plugin = Arrays

    @pytest.fixture(autouse=True)
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        np.save(tmp_path / "x.npy", BYTES)
        np.save(tmp_path / "y.npy", np.arange(6))
        options = {"path": str(tmp_path / "x.npy"), "labels": str(tmp_path / "y.npy")}
        monkeypatch.setattr(type(self), "options", options)


class TestArchivedArrays(DatasetSuite):
    plugin = Arrays

    @pytest.fixture(autouse=True)
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        np.savez_compressed(tmp_path / "x.npz", codes=TABLE, classes=np.arange(6) % 2)
        options = {"path": str(tmp_path / "x.npz"), "labels": "classes", "value_range": [-9, 9]}
        monkeypatch.setattr(type(self), "options", options)


def test_digits_are_those_of_scikit_learn_between_0_and_1() -> None:
    digits, raw = Digits(), load_digits()
    assert len(digits) == 1797
    torch.testing.assert_close(16 * digits[5][0], torch.as_tensor(raw.images[5], dtype=torch.float32))
    assert digits.labels is not None
    assert digits.labels.tolist() == raw.target.tolist()
    batch = digits.__getitems__(range(1797))
    assert (batch.min(), batch.max()) == (0, 1)


@pytest.mark.parametrize(
    ("array", "shape"),
    [
        (BYTES, (3, 7, 5)),
        (BYTES.transpose(0, 3, 1, 2), (3, 7, 5)),
        (BYTES[..., 0], (1, 7, 5)),
        (BYTES[..., :1], (1, 7, 5)),
        (TABLE, (4,)),
        (np.asfortranarray(TABLE), (4,)),
    ],
    ids=["channels-last", "channels-first", "without channels", "one channel", "table", "table by columns"],
)
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_arrays_of_every_layout_are_read_with_their_channels_first(tmp_path, array, shape, suffix) -> None:
    path = tmp_path / f"x.{suffix}"
    {"npy": np.save, "npz": np.savez}[suffix](path, array)
    dataset = Arrays(path)
    assert dataset.data_shape == shape
    first = TABLE[0] if len(shape) == 1 else BYTES[0, ..., : shape[0]].transpose(2, 0, 1) / 255
    torch.testing.assert_close(dataset[0], torch.tensor(first, dtype=torch.float32))
    assert dataset[0].is_contiguous()


@pytest.mark.parametrize("shape", [(9,), (9, 2), (2, 8, 8), (2, 3, 4, 5)], ids=str)
def test_without_a_layout_samples_of_any_shape_keep_their_axes(tmp_path, shape) -> None:
    array = np.arange(3 * np.prod(shape), dtype=np.float32).reshape(3, *shape)
    np.save(tmp_path / "x.npy", array)
    dataset = Arrays(tmp_path / "x.npy", layout="none")
    assert dataset.data_shape == shape
    np.testing.assert_array_equal(dataset[2].numpy(), array[2])


@pytest.mark.parametrize(("layout", "shape"), [("channels-first", (7, 5, 3)), ("channels-last", (3, 7, 5))])
def test_a_named_layout_is_taken_at_its_word(tmp_path, layout, shape) -> None:
    np.save(tmp_path / "x.npy", BYTES)
    assert Arrays(tmp_path / "x.npy", layout=layout).data_shape == shape


@pytest.mark.parametrize(
    ("array", "options", "value_range", "values"),
    [
        (np.array([[0, 51, 255]], np.uint8), {}, (0.0, 1.0), [0.0, 0.2, 1.0]),
        (np.array([[0, 51, 255]], np.uint8), {"scaling": "none"}, None, [0, 51, 255]),
        (np.array([[0, 1, 1]], np.uint8), {}, (0.0, 1.0), [0, 1, 1]),
        (np.array([[True, False]]), {}, (0.0, 1.0), [1, 0]),
        (np.array([[0.5, 2.0]]), {}, None, [0.5, 2.0]),
        (np.array([[0.5, 0.25]], np.float16), {"value_range": (0, 1)}, (0, 1), [0.5, 0.25]),
        (np.array([[1.5, 2.5]], ">f4"), {}, None, [1.5, 2.5]),
        (np.array([[-3, 70000]]), {}, None, [-3, 70000]),
    ],
    ids=["bytes", "bytes as they are", "byte mask", "mask", "float64", "float16", "big-endian", "int64"],
)
def test_values_are_scaled_by_their_type_alone(tmp_path, array, options, value_range, values) -> None:
    np.save(tmp_path / "x.npy", array)
    dataset = Arrays(tmp_path / "x.npy", **options)
    assert dataset.value_range == value_range
    assert dataset[0].dtype == torch.float32
    assert dataset[0].tolist() == pytest.approx(values)


def test_a_file_that_was_cut_since_it_was_mapped_is_told_and_kills_nothing(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5000, 100), dtype="float32"))
    data = Arrays(tmp_path / "x.npy")
    os.truncate(tmp_path / "x.npy", 50_000)
    with pytest.raises(DataError, match=r"x\.npy' was cut to 50,000 of 2,000,128 bytes while it was read\. Restore it"):
        data.__getitems__([4999])


def test_a_file_that_was_replaced_since_it_was_mapped_is_read_as_it_was(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((50, 10), dtype="float32"))
    data = Arrays(tmp_path / "x.npy")
    (tmp_path / "new").write_bytes(b"short")
    (tmp_path / "new").replace(tmp_path / "x.npy")
    assert float(data.__getitems__([49]).sum()) == 10


def test_a_npy_file_is_mapped_and_not_read_whole(tmp_path) -> None:
    with (tmp_path / "x.npy").open("wb") as stream:  # 40 GB that the disk does not hold
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**7, 64, 64)}
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(bytes([0, 255]))
        stream.truncate(stream.tell() - 2 + 10**7 * 64 * 64)
    dataset = Arrays(tmp_path / "x.npy")
    assert len(dataset) == 10**7
    assert dataset[0].sum() == 1
    assert dataset.__getitems__([10**7 - 1, 0]).flatten(1).sum(1).tolist() == [0, 1]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300], ids=["NaN", "infinity", "beyond float32"])
@pytest.mark.parametrize("row", [0, 5])
def test_a_value_that_is_not_finite_is_found_block_by_block(tmp_path, monkeypatch, row, bad) -> None:
    monkeypatch.setattr(soundness, "BLOCK", 8)
    table = TABLE.copy()
    table[row, 2] = bad
    np.save(tmp_path / "x.npy", table)
    with pytest.raises(DataError, match=rf"x\.npy': sample {row} holds a value that is not finite.*Drop or fill"):
        Arrays(tmp_path / "x.npy")


def test_a_value_outside_the_declared_range_is_refused(tmp_path) -> None:
    np.save(tmp_path / "x.npy", np.array([[0.0], [1.5]]))
    with pytest.raises(DataError, match=r"x\.npy': sample 1 holds a value outside \[0, 1\].*value_range"):
        Arrays(tmp_path / "x.npy", value_range=(0, 1))
    with pytest.raises(ConfigError, match=r"value_range must be \(smallest, largest\), got \(1, 0\)"):
        Arrays(tmp_path / "x.npy", value_range=(1, 0))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 4)), "no values"),
        (np.zeros((4, 0)), "no values"),
        (np.zeros(4), r"shape \(4,\).*Reshape it to \(N, d\)"),
        (np.zeros((2, 2, 2, 2, 2)), "Reshape it"),
        (np.zeros((2, 3, 8, 3)), "Set the option layout to channels-first or channels-last"),
        (np.zeros((2, 8, 8, 8)), "Set the option layout"),
        (np.array([[{}]], dtype=object), "holds Python objects .*pickled and never loaded"),
        (TABLE + 1j, "type complex128, where numbers are needed"),
        (np.array([["a"]]), "type <U1, where numbers are needed"),
        (np.array([["2020-01-01"]], dtype="datetime64[D]"), "where numbers are needed"),
        (np.zeros((2, 2), dtype=[("x", "f4")]), "where numbers are needed"),
    ],
    ids=[
        "no-samples",
        "no-entries",
        "1-d",
        "5-d",
        "both-ends",
        "neither-end",
        "objects",
        "complex",
        "text",
        "dates",
        "records",
    ],
)
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_an_array_that_holds_no_samples_is_refused_by_name(tmp_path, array, message, suffix) -> None:
    {"npy": np.save, "npz": np.savez}[suffix](tmp_path / f"x.{suffix}", array)
    with pytest.raises(DataError, match=rf"x\.{suffix}' .*{message}"):
        Arrays(tmp_path / f"x.{suffix}")


@pytest.mark.parametrize("kept", [4, 8, 50, 0.5, -1], ids=["4 bytes", "8 bytes", "50 bytes", "half", "all but one"])
@pytest.mark.parametrize("write", [np.save, np.savez, np.savez_compressed])
def test_a_truncated_file_is_refused_by_name(tmp_path, write, kept) -> None:
    path = tmp_path / ("x.npy" if write is np.save else "x.npz")
    write(path, BYTES)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(DataError, match=r"x\.np[yz]' (cannot be read: .*fetch it again|is neither a .npy)"):
        Arrays(path)


def test_a_flipped_bit_of_an_archive_is_noticed(tmp_path) -> None:
    np.savez(tmp_path / "x.npz", BYTES)
    content = bytearray((tmp_path / "x.npz").read_bytes())
    content[300] ^= 1
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npz' cannot be read: Bad CRC-32"):
        Arrays(tmp_path / "x.npz")


@pytest.mark.parametrize(("content", "kind"), [(b"", "an empty file"), (b"1,2\n3,4\n", "neither a .npy")])
def test_a_file_of_another_kind_is_refused(tmp_path, content, kind) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DataError, match=rf"x\.npy' is {kind}.*Write it with numpy.save"):
        Arrays(tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "must hold one array, but holds: images, flags, classes. Name the one to read by its key"),
        ({"key": "image"}, "No array named 'image'. Known: classes, flags, images. Did you mean 'images'"),
        ({"key": "images", "labels": "class"}, "no file '.*class'.*Nor is it a key .*: images, flags, classes"),
        ({"key": "images", "labels": "images"}, "labels have type float64.*return_inverse"),
        ({"key": "images", "labels": "flags"}, r"the labels have shape \(3,\), but the 6 samples of .* need \(6,\)"),
    ],
    ids=["no key", "wrong key", "unknown labels", "labels of numbers", "too few labels"],
)
def test_an_archive_that_does_not_fit_the_options_is_refused(tmp_path, options, message) -> None:
    np.savez(tmp_path / "x.npz", images=TABLE, flags=np.arange(3), classes=np.arange(6))
    with pytest.raises(DataError, match=message):
        Arrays(tmp_path / "x.npz", **options)


def test_a_key_of_a_npy_file_is_refused(tmp_path) -> None:
    np.save(tmp_path / "x.npy", TABLE)
    with pytest.raises(DataError, match=r"x\.npy' is a .npy file.*Drop the option key='images'"):
        Arrays(tmp_path / "x.npy", key="images")


@pytest.mark.parametrize("labels", ["classes", "classes.npy", "classes.npz"])
def test_labels_come_from_the_archive_or_a_file_of_their_own(tmp_path, monkeypatch, labels) -> None:
    monkeypatch.chdir(tmp_path)
    classes = np.array([2, 0, 1, 2, 0, 1], dtype=np.uint16)
    np.savez("x.npz", images=TABLE, **({"classes": classes} if labels == "classes" else {}))
    np.save("classes.npy", classes)
    np.savez("classes.npz", classes)
    dataset = Arrays("x.npz", labels=labels)
    assert dataset.data_shape == (4,)
    assert dataset.labels is not None
    assert (dataset.labels.dtype, dataset.labels.tolist()) == (torch.int64, [2, 0, 1, 2, 0, 1])


@pytest.mark.parametrize("plugin", [Arrays, Images])
def test_a_missing_path_is_named_in_full(tmp_path, monkeypatch, plugin) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=rf"There is no \w+ '{tmp_path}/nowhere/x'.*working directory, '{tmp_path}'"):
        plugin("nowhere/x")


def test_a_home_folder_is_expanded(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    np.save(tmp_path / "x.npy", TABLE)
    assert len(Arrays("~/x.npy")) == 6


def test_a_file_and_a_folder_are_told_apart(tmp_path) -> None:
    with pytest.raises(DataError, match=r"is a folder, where a file is needed.*dataset `images`"):
        Arrays(tmp_path)
    (tmp_path / "x.png").touch()
    with pytest.raises(DataError, match=r"is a file, where a folder is needed.*dataset `arrays`"):
        Images(tmp_path / "x.png")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("images", {"path": "x", "size": 0}, "size"),
        ("images", {"path": "x", "mode": "CMYK"}, "mode"),
        ("arrays", {"path": "x", "layout": "NHWC"}, "layout"),
        ("arrays", {}, "path: this option is required"),
    ],
)
def test_options_are_checked_before_any_file_is_read(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        otae.datasets.create(name, **options)
