"""CelebA in miniature: crops, attributes, the official partition, and every spoilt file that is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from otae.errors import ConfigError, DataError
from otae.interfaces import Dataset, Preparation
from otae.testing import DatasetSuite
from otae_datasets import CelebA

RANDOM = np.random.default_rng(0)
ATTRIBUTES = "6\nBald Smiling\n" + "".join(f"{n:06}.jpg  {1 if n % 2 else -1} {-1 if n < 3 else 1}\n" for n in range(6))
PARTS = "".join(f"{n:06}.jpg {part}\n" for n, part in enumerate([0, 0, 0, 1, 2, 2]))


def write(folder: Path, attributes: str = ATTRIBUTES, parts: str = PARTS) -> Path:
    (folder / "img_align_celeba").mkdir()
    for n in range(6):
        pixels = RANDOM.integers(0, 256, (22, 18, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"img_align_celeba/{n:06}.jpg")
    (folder / "list_attr_celeba.txt").write_text(attributes)
    (folder / "list_eval_partition.txt").write_text(parts)
    return folder


class TestCelebA(DatasetSuite):
    plugin = CelebA

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        options = {"path": str(write(tmp_path)), "crop": 14, "size": 8, "label": "Smiling"}
        monkeypatch.setattr(type(self), "options", options)


@pytest.mark.parametrize(
    ("part", "rows"), [("all", [*range(6)]), ("train", [0, 1, 2]), ("validation", [3]), ("test", [4, 5])]
)
def test_the_official_partition_chooses_pictures_with_their_attributes(tmp_path, part, rows) -> None:
    faces = CelebA(write(tmp_path), part=part, crop=18, size=18, label="Bald")
    assert faces.factors.names == ("Bald", "Smiling")
    assert faces.factors.table.tolist() == [[row % 2, int(row >= 3)] for row in rows]
    assert faces.labels.tolist() == [row % 2 for row in rows]
    assert faces.class_names == ("not Bald", "Bald")
    pixels = np.asarray(Image.open(tmp_path / f"img_align_celeba/{rows[-1]:06}.jpg"))
    torch.testing.assert_close(faces[len(rows) - 1], torch.tensor(pixels[2:20].transpose(2, 0, 1) / 255).float())


def test_the_crop_is_cut_out_about_the_centre_before_the_size_is_made(tmp_path) -> None:
    write(tmp_path)
    pixels = np.zeros((22, 18), np.uint8)
    pixels[7:15, 5:13] = 255
    for n in range(6):
        Image.fromarray(pixels).save(tmp_path / f"img_align_celeba/{n:06}.jpg", format="PNG")
    assert CelebA(tmp_path, crop=8, size=4, mode="L")[0].min() == 1
    assert CelebA(tmp_path, crop=None, size=4, mode="L")[0].min() == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attributes": ""}, r"list_attr_celeba\.txt' holds no pictures"),
        ({"attributes": "1\nBald Smiling\n"}, "holds no pictures"),
        ({"attributes": "1\nBald Smiling\n000001.jpg 1\n"}, "line 3: a picture and 2 times 1 or -1"),
        ({"attributes": "1\nBald\n000001.jpg nan\n"}, "line 3: a picture and 1 times"),
        (
            {"attributes": "1\nBald\n000009.jpg 1\n", "parts": "000009.jpg 0\n"},
            "names 1 pictures .* the first '000009.jpg'",
        ),
        ({"parts": "000001.jpg 3\n"}, r"list_eval_partition\.txt', line 1"),
        ({"parts": "000001.jpg 0\n"}, "names no part for '000000.jpg'"),
        ({"parts": PARTS.replace(" 0", " 1")}, "leaves no picture in part 0"),
    ],
)
def test_a_spoilt_list_is_refused_by_name(tmp_path, changes, message) -> None:
    with pytest.raises(DataError, match=message):
        CelebA(write(tmp_path, **changes), part="train")


def test_a_list_that_is_no_text_is_refused_by_name(tmp_path) -> None:
    (write(tmp_path) / "list_attr_celeba.txt").write_bytes(b"\x80\x04\x95\xff")
    with pytest.raises(DataError, match=r"list_attr_celeba\.txt' is no text"):
        CelebA(tmp_path)


def test_a_truncated_picture_is_named_when_it_is_read(tmp_path) -> None:
    file = write(tmp_path) / "img_align_celeba/000002.jpg"
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(DataError, match=r"000002\.jpg' cannot be read as a picture"):
        CelebA(tmp_path, crop=14)[2]


def test_options_that_do_not_fit_are_told(tmp_path) -> None:
    write(tmp_path)
    with pytest.raises(
        DataError, match=r"000000\.jpg' has 22×18 pixels .*fewer than the crop of 140. Set the option crop"
    ):
        CelebA(tmp_path)[0]
    with pytest.raises(
        ConfigError, match=r"label: No attribute named 'Smilin'. Known: Bald, Smiling. Did you mean 'Smiling'"
    ):
        CelebA(tmp_path, label="Smilin")


def test_what_is_missing_is_named_with_the_way_to_get_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("OTAE_DATA", str(tmp_path))
    with pytest.raises(DataError, match=rf"no folder '.*', nor '{tmp_path}/celeba'. .*`otae data fetch celeba`"):
        CelebA()
    with pytest.raises(DataError, match=r"no folder '.*/img_align_celeba'. .*`otae data fetch celeba`"):
        CelebA(tmp_path)


def keep(dataset: Dataset) -> Preparation:
    """Returns the preparation of a dataset, as a run keeps it."""
    assert dataset.preparation is not None
    assert dataset.preparations is not None
    return dataset.preparations.from_dict(json.loads(json.dumps(dataset.preparation.to_dict())))


def test_faces_are_cropped_as_in_training(tmp_path: Path) -> None:
    faces = CelebA(write(tmp_path), crop=14, size=8)
    torch.testing.assert_close(keep(faces).read(tmp_path / "img_align_celeba/000003.jpg")[0], faces[3])
    assert faces.files is not None
    assert faces.files[3] == "000003.jpg"


def test_all_parts_bring_their_official_split(tmp_path: Path) -> None:
    assert CelebA(write(tmp_path), crop=14, size=8).official_split.tolist() == [0, 0, 0, 1, 2, 2]
