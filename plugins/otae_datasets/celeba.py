"""The dataset CelebA: faces with forty attributes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from otae.errors import ConfigError, DataError, unknown_name
from otae.interfaces import Dataset, Factor, Factors, Source

from .array_file import Array
from .paths import existing_file, existing_folder
from .picture_preparation import PicturePreparation
from .pictures import Mode, Side, read_picture

_PARTS = {"train": 0, "validation": 1, "test": 2}


class CelebA(Dataset):
    """Creates CelebA: 202,599 aligned faces (3, size, size) in [0, 1], read when asked for, with forty attributes.

    The attributes, 0 or 1, are the factors. Pictures are named by `list_attr_celeba.txt`; one that is missing is refused
    at the start, one that is damaged when it is read.

    Args:
        path: The folder that holds `img_align_celeba`, `list_attr_celeba.txt` and `list_eval_partition.txt`; a relative
            path starts at the working directory, or else the data folder.
        part: A part of the official partition, or `all`, which `split_by: official` needs; otae else splits what it is given
            by its own seed.
        crop: The side of the square that is cut out about the centre; `None` keeps all of the 218×178 pixels, of which
            `size` then takes the largest square.
        size: The height and width to resize to.
        mode: `RGB` for three channels, `L` for one, grey.
        label: The attribute to use as labels, such as `Smiling`.

    Raises:
        ConfigError: If there is no such attribute.
        DataError: If a file is missing, damaged, or does not hold what it should; the message names it.

    References:
        Deep Learning Face Attributes in the Wild (Liu et al., 2015)
        https://arxiv.org/abs/1411.7766
    """

    sources = (
        Source(
            "celeba",
            "202,599 faces, colour, 218×178, with forty attributes",
            "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
            by_hand=(
                "Its terms ask each user to read them first. Get img_align_celeba.zip, list_attr_celeba.txt and "
                "list_eval_partition.txt, unpack the first, and put all three into the folder `celeba` of the data folder."
            ),
        ),
    )

    preparations = PicturePreparation

    def __init__(
        self,
        path: str | Path = "celeba",
        *,
        part: Literal["train", "validation", "test", "all"] = "all",
        crop: Side | None = 140,
        size: Side = 64,
        mode: Mode = "RGB",
        label: str | None = None,
    ) -> None:
        super().__init__()
        folder = existing_folder(path, self.sources)
        self._folder = existing_folder(folder / "img_align_celeba", self.sources)
        listed = existing_file(folder / "list_attr_celeba.txt", self.sources)
        names, attributes, table = _attributes(listed)
        partition = folder / "list_eval_partition.txt"
        if part != "all":
            kept = _part(existing_file(partition, self.sources), names, _PARTS[part])
            names, table = [names[row] for row in kept], table[kept]
        elif partition.is_file():
            self.official_split = torch.tensor(_read_parts(partition, names))
        self._names = self.files = names
        self._check_files(listed)
        self._crop, self._size, self._mode = crop, (size, size), mode
        self.data_shape, self.value_range = (3 if mode == "RGB" else 1, size, size), (0.0, 1.0)
        self.preparation = PicturePreparation((size, size), mode, True, crop)
        self.factors = Factors(torch.from_numpy(table), tuple(_factor(name) for name in attributes))
        if label is not None:
            self.labels, self.class_names = self._column(label), _factor(label).labels

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Tensor:
        return read_picture(self._folder / self._names[index], self._size, self._mode, self._crop)

    def _check_files(self, listed: Path) -> None:
        there = {entry.name for entry in os.scandir(self._folder)}
        if missing := [name for name in self._names if name not in there]:
            told = f"'{listed}' names {len(missing):,} pictures that '{self._folder}' lacks, the first '{missing[0]}'"
            raise DataError(f"{told}. Unpack img_align_celeba.zip there again.")

    def _column(self, label: str) -> Tensor:
        if self.factors is None or label not in self.factors.names:
            raise ConfigError(f"label: {unknown_name('attribute', label, self.factors.names if self.factors else ())}")
        return self.factors.column(label).clone()


def _factor(name: str) -> Factor:
    return Factor(name, "categorical", (0, 1), labels=(f"not {name}", name))


def _attributes(file: Path) -> tuple[list[str], tuple[str, ...], Array]:
    """Returns the pictures' names, the attributes' names, and the attributes as 0 and 1, with shape (N, F)."""
    lines = _lines(file)  # the number of pictures, the attributes, then a picture a line
    attributes = tuple(" ".join(lines[1:2]).split())
    fields = [row.split() for row in lines[2:]]
    for number, row in enumerate(fields, start=3):
        if len(row) != len(attributes) + 1 or not {*row[1:]} <= {"1", "-1"}:
            needed = f"a picture and {len(attributes)} times 1 or -1 are needed"
            raise DataError(f"'{file}', line {number}: {needed}. {_CURE}.")
    if not attributes or not fields:
        raise DataError(f"'{file}' holds no pictures with attributes. {_CURE}.")
    return [row[0] for row in fields], attributes, np.array([row[1:] for row in fields], dtype=np.int64).clip(0, 1)


def _part(file: Path, names: list[str], part: int) -> list[int]:
    kept = [row for row, found in enumerate(_read_parts(file, names)) if found == part]
    if not kept:
        raise DataError(f"'{file}' leaves no picture in part {part}. {_CURE}.")
    return kept


def _read_parts(file: Path, names: list[str]) -> list[int]:
    """Returns the part of each picture."""
    fields = [line.split() for line in _lines(file)]
    for number, row in enumerate(fields, start=1):
        if len(row) != 2 or row[1] not in ("0", "1", "2"):
            raise DataError(f"'{file}', line {number}: a picture and its part, 0, 1 or 2, are needed. {_CURE}.")
    parts = dict(fields)
    if missing := [name for name in names if name not in parts]:
        raise DataError(f"'{file}' names no part for '{missing[0]}'. {_CURE}.")
    return [int(parts[name]) for name in names]


def _lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise DataError(f"'{file}' is no text: {error}. {_CURE}.") from error


_CURE = "If it is damaged, get it again"
