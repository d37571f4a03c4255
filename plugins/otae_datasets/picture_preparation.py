"""The way from pictures to samples and back."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from otae.errors import DataError
from otae.interfaces import Preparation

from .array_file import Array
from .array_preparation import ArrayPreparation
from .memory_limit import require_memory
from .pictures import WHITE, Mode, Pages, Size, page_sizes, picture_files, read_picture


@dataclass(frozen=True)
class PicturePreparation(Preparation):
    """Holds how pictures become samples.

    Args:
        size: The height and width.
        mode: `RGB` or `L`.
        resized: Whether pictures of another size are cropped and resized, rather than refused.
        crop: The side of the square, about the centre, that is cut out first; `None` for the whole picture.
        background: The colour that transparent pictures are composed on.
        pages: Whether files of several pages are refused, or each page is a sample.
    """

    size: Size
    mode: Mode
    resized: bool
    crop: int | None = None
    background: str = WHITE
    pages: Pages = "refuse"

    def to_dict(self) -> dict[str, Any]:
        options = {"resized": self.resized, "crop": self.crop, "background": self.background, "pages": self.pages}
        return {"size": list(self.size), "mode": self.mode, **options}

    @classmethod
    def from_dict(cls, constants: Mapping[str, Any]) -> PicturePreparation:
        height, width = constants["size"]
        more = (constants.get("crop"), constants.get("background", WHITE), constants.get("pages", "refuse"))
        return cls((height, width), constants["mode"], constants["resized"], *more)

    def read(self, path: Path) -> Tensor:
        if path.suffix in (".npy", ".npz"):
            return self._pixels.read(path)
        places = self._find_places(path)
        require_memory(4 * prod((len(places), *self._pixels.data_shape)), f"'{path}', {len(places)} pictures,")
        return torch.stack([self._read(file, page) for file, page in places])

    def list_files(self, path: Path) -> list[str] | None:
        if path.suffix in (".npy", ".npz"):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is left out was said when it was read
            places = self._find_places(path)
        return name_pages(path if path.is_dir() else path.parent, [file for file, _ in places])

    def _find_places(self, path: Path) -> list[tuple[Path, int]]:
        """Returns the file and page of each sample."""
        files = picture_files(path) if path.is_dir() else [path]
        return [(file, page) for file in files for page in range(len(page_sizes(file, self.pages)))]

    def prepare(self, raw: Any) -> Tensor:
        return self._pixels.prepare(raw)

    def restore(self, samples: Tensor) -> Array:
        pixels: Array = self._pixels.restore(samples)
        return pixels[:, 0] if self.mode == "L" else pixels.transpose(0, 2, 3, 1)

    @property
    def _pixels(self) -> ArrayPreparation:
        return ArrayPreparation((3 if self.mode == "RGB" else 1, *self.size), 255, "auto", (0.0, 1.0))

    def _read(self, file: Path, page: int) -> Tensor:
        size = self.size if self.resized else None
        picture = read_picture(file, size, self.mode, self.crop, background=self.background, page=page)
        if tuple(picture.shape[1:]) != self.size:
            told = f"{picture.shape[1]}×{picture.shape[2]} pixels, where the model was trained on {self.size[0]}×{self.size[1]}"
            raise DataError(f"'{file}' has {told} (height×width). Crop or resize it, or train with the option size.")
        return picture


def name_pages(folder: Path, files: Sequence[Path]) -> list[str]:
    """Returns what samples are called: the path of their file, with the number of the page where it has several.

    Args:
        folder: The folder that paths are relative to.
        files: The file of each sample; pages of one file stand one after the other.
    """
    counts, seen = Counter(files), Counter[Path]()
    names = []
    for file in files:
        seen[file] += 1
        name = file.relative_to(folder).as_posix()
        names.append(f"{name} page {seen[file]}" if counts[file] > 1 else name)
    return names
