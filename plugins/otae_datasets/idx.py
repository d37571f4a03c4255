"""The dataset of IDX files: MNIST and its family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from otae.errors import DataError

from .array_file import Array, require_whole
from .array_preparation import ArrayPreparation
from .batched import Batched
from .idx_file import IdxFile
from .indices import checked
from .layout import arranged
from .mnist import CLASS_NAMES, SOURCES
from .paths import existing, places
from .soundness import check_values

_PACKAGED: Mapping[str, Path] = {"fashionmnist": Path("/usr/share/datasets/fashion-mnist")}
"""Where packages of Debian put a set: dataset-fashion-mnist."""

_PREFIXES: Mapping[str, tuple[str, ...]] = {"train": ("train",), "test": ("t10k",), "all": ("train", "t10k")}


class Idx(Batched):
    """Creates a dataset from IDX files, as those of MNIST, Fashion-MNIST and KMNIST, plain or compressed by gzip.

    A plain file is mapped into memory and read sample by sample, a compressed one is unpacked into memory, in its own
    type (MNIST: 47 MB). Samples are float32 images (1, H, W); bytes are divided by 255, other types keep their values.

    Args:
        path: The folder of `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the two that begin with `t10k`, each
            with `.gz` or without, or one that holds it as `raw` or `MNIST/raw`, as torchvision does; or a file of images.
            A relative path starts at the working directory, or else the data folder; `FashionMNIST` is also found where
            Debian's package dataset-fashion-mnist puts it.
        part: The training images, those of the test, or both in this order, which `split_by: official` needs; otae
            else splits what it is given by its own seed.
        labels: A file of labels, where `path` is a file of images; a folder holds its own.

    Attributes:
        class_names: The names of the classes, where the folder's name tells the set: `MNIST`, `FashionMNIST`, `KMNIST`.

    Raises:
        DataError: If a file is missing, damaged, or does not hold what it should; the message names it.

    References:
        Gradient-Based Learning Applied to Document Recognition (LeCun et al., 1998)
        https://doi.org/10.1109/5.726791

    Examples:
        >>> Idx("MNIST", part="test").data_shape  # doctest: +SKIP
        (1, 28, 28)
    """

    sources = SOURCES
    preparations = ArrayPreparation

    def __init__(
        self,
        path: str | Path = "MNIST",
        *,
        part: Literal["train", "test", "all"] = "train",
        labels: str | Path | None = None,
    ) -> None:
        super().__init__()
        images, classes = _files(_locate(path), _PREFIXES[part], labels)
        self._files = [IdxFile(file) for file in images]
        self._arrays = self._open()
        first = self._arrays[0]
        self.data_shape = tuple(first.shape[1:])
        if unlike := [
            file for file, array in zip(images, self._arrays, strict=True) if array.shape[1:] != first.shape[1:]
        ]:
            raise DataError(f"'{unlike[0]}' and '{images[0]}' hold samples of different shapes. Read one by one.")
        for file, array in zip(images, self._arrays, strict=True):
            check_values(array, None, file)
        self._ends = np.cumsum([len(array) for array in self._arrays])
        bytes_ = first.dtype == np.uint8
        self._divisor = 255 if bytes_ else 1
        self.value_range = (0.0, 1.0) if bytes_ else None
        self.preparation = ArrayPreparation(self.data_shape, self._divisor, "auto", self.value_range)
        self.labels = _labels(classes, [len(array) for array in self._arrays])
        if part == "all" and len(self._arrays) == 2:
            self.official_split = torch.where(torch.arange(len(self)) < int(self._ends[0]), 0, 2)
        self.class_names = _class_names(images[0].parent, self.labels)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        positions = checked(indices, len(self))
        owners = np.searchsorted(self._ends, positions, side="right")
        values = np.empty((len(positions), *self.data_shape), dtype=np.float32)
        for owner in np.unique(owners):
            array, chosen = self._arrays[owner], owners == owner
            require_whole(array, self._files[owner].path)
            values[chosen] = array[positions[chosen] - (self._ends[owner] - len(array))]
        return torch.from_numpy(values).div_(self._divisor)

    def __getstate__(self) -> dict[str, Any]:
        # A memory map would be sent whole to another process, which can as well open the file itself.
        return {**vars(self), "_arrays": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._arrays = self._open()

    def _open(self) -> list[Array]:
        return [arranged(file.read(), "auto", file.path) for file in self._files]


def _locate(path: str | Path) -> Path:
    packaged = _PACKAGED.get(_plain(Path(path).name))
    elsewhere = packaged is not None and packaged.is_dir() and not any(place.exists() for place in places(path))
    return packaged if packaged is not None and elsewhere else existing(path, "folder", SOURCES)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _files(path: Path, prefixes: Sequence[str], labels: str | Path | None) -> tuple[list[Path], list[Path]]:
    if path.is_file():
        return [path], [] if labels is None else [existing(labels, "file")]
    if labels is not None:
        raise DataError(f"'{path}' is a folder, which holds its own labels. Drop the option labels.")
    folder = _folder(path, f"{prefixes[0]}-images")
    found = [[_file(folder, f"{prefix}-{what}") for prefix in prefixes] for what in ("images-idx3", "labels-idx1")]
    return found[0], found[1]


def _folder(path: Path, start: str) -> Path:
    places = [path, path / "raw", *sorted(each for each in path.glob("*/raw") if each.is_dir())]
    held = [place for place in places if any(place.glob(f"{start}*"))]
    if len(held) > 1:
        told = ", ".join(f"'{place}'" for place in held)
        raise DataError(f"'{path}' holds several sets: {told}. Name one of these folders as path.")
    return held[0] if held else path


def _file(folder: Path, name: str) -> Path:
    names = [f"{stem}-ubyte{suffix}" for stem in (name, name.replace("-idx", ".idx")) for suffix in ("", ".gz")]
    found = next((folder / each for each in names if (folder / each).is_file()), None)
    if found is None:
        commands = ", ".join(f"`otae data fetch {source.name}`" for source in SOURCES)
        raise DataError(f"There is no file '{folder / names[0]}', nor with .gz. Get the data with one of {commands}.")
    return found


def _labels(files: Sequence[Path], counts: Sequence[int]) -> Tensor | None:
    if not files:
        return None
    arrays = [IdxFile(file).read() for file in files]
    for file, array, count in zip(files, arrays, counts, strict=True):
        if array.shape != (count,) or array.dtype.kind not in "ui":
            needed = f"where {count} images need ({count},) whole numbers"
            raise DataError(f"'{file}' holds labels of shape {array.shape} and type {array.dtype}, {needed}.")
    return torch.from_numpy(np.concatenate(arrays).astype(np.int64))


def _class_names(folder: Path, labels: Tensor | None) -> tuple[str, ...] | None:
    parts = [_plain(part) for part in reversed(folder.parts)]
    names = next((CLASS_NAMES[part] for part in parts if part in CLASS_NAMES), None)
    known = names is not None and labels is not None and int(labels.min()) >= 0 and int(labels.max()) < len(names)
    return names if known else None
