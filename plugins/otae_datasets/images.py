"""The dataset of a folder of pictures."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from otae.errors import DataError
from otae.interfaces import Dataset

from .paths import existing_folder
from .picture_preparation import PicturePreparation, name_pages
from .pictures import WHITE, Mode, Pages, Side, Size, check_colour, page_sizes, picture_files, read_picture


class Images(Dataset):
    """Creates a dataset from the pictures of a folder and its subfolders, in the order of their relative paths.

    Pictures are read when asked for, so there may be more than fit into memory. Their headers are read once at the
    start: a file that is no picture or ends too early is refused there, hidden damage when the picture is read.

    Args:
        path: The folder; `~` is the home folder, a relative path starts at the working directory.
        size: The side, or (height, width), to crop to, about the centre, and resize; needed where pictures differ.
        mode: `RGB` for three channels, `L` for one, grey. Orientation tags are followed.
        background: The colour that transparent pictures are composed on: a name, or `#rrggbb`.
        pages: Whether files of several pages or frames are refused, or each page is a sample, `all`.

    Attributes:
        class_names: The names of the subfolders, in the order of the labels. There are labels if every picture lies in a
            subfolder and there are several of these; `None` otherwise.

    Raises:
        ConfigError: If there is no such colour.
        DataError: If the folder is missing or empty, a picture is damaged, or the sizes differ; the message names it.
    """

    preparations = PicturePreparation

    def __init__(
        self,
        path: str | Path,
        *,
        size: Side | tuple[Side, Side] | None = None,
        mode: Mode = "RGB",
        background: str = WHITE,
        pages: Pages = "refuse",
    ) -> None:
        super().__init__()
        self._background = check_colour(background)
        folder = existing_folder(path)
        found = [
            (file, page, size) for file in picture_files(folder) for page, size in enumerate(page_sizes(file, pages))
        ]
        self._places, self._mode = [(file, page) for file, page, _ in found], mode
        owners, sizes = [file for file, *_ in found], [each for *_, each in found]
        self.files = name_pages(folder, owners)
        self._size: Size | None = (size, size) if isinstance(size, int) else size
        self.data_shape = (3 if mode == "RGB" else 1, *(self._size or _common(sizes, owners)))
        self.value_range = (0.0, 1.0)
        height, width = self.data_shape[1:]
        self.preparation = PicturePreparation((height, width), mode, size is not None, None, background, pages)
        self.class_names, self.labels = _classes(folder, owners)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Tensor:
        file, page = self._places[index]
        return read_picture(file, self._size, self._mode, background=self._background, page=page)


def _common(sizes: list[Size], files: list[Path]) -> Size:
    for size, file in zip(sizes, files, strict=True):
        if size != sizes[0]:
            each = f"'{files[0]}' has {sizes[0][0]}×{sizes[0][1]} pixels, '{file}' {size[0]}×{size[1]} (height×width)"
            raise DataError(f"The pictures differ in size: {each}. Set the option size, such as size: 64.")
    return sizes[0]


def _classes(folder: Path, files: list[Path]) -> tuple[tuple[str, ...] | None, Tensor | None]:
    parts = [file.relative_to(folder).parts for file in files]
    names = tuple(sorted({first for first, *_ in parts}))
    if len(names) < 2 or any(len(each) == 1 for each in parts):
        return None, None
    index = {name: number for number, name in enumerate(names)}
    return names, torch.tensor([index[first] for first, *_ in parts])
