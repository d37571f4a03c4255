"""Reading rows of a dataset of Hugging Face as tensors: pictures, or numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from io import BytesIO
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from otae.errors import DataError

from .array_file import Array
from .array_preparation import ArrayPreparation
from .columns_preparation import ColumnsPreparation
from .extras import needed
from .hf_columns import kind, numeric
from .indices import Indices
from .layout import Layout, arranged
from .picture_preparation import PicturePreparation
from .pictures import Mode, Size, picture_tensor
from .soundness import check_values, exceeds
from .tagged_preparation import Inner


class Reader(ABC):
    """Creates what turns rows into samples.

    Attributes:
        data_shape: The shape of one sample.
        value_range: The smallest and largest value a sample may hold, or `None` where unbounded.
        preparation: The way from rows to samples.
    """

    data_shape: tuple[int, ...]
    value_range: tuple[float, float] | None
    preparation: Inner

    @abstractmethod
    def read(self, indices: Indices) -> Tensor:
        """Returns samples, with shape (B, *data_shape).

        Args:
            indices: The rows, with shape (B,).
        """


@final
class PictureReader(Reader):
    """Creates the reader of a column of pictures; a picture is decoded when it is asked for.

    Args:
        rows: The `datasets.Dataset`.
        column: The column.
        size: The height and width to bring pictures to; `None` keeps that of the first.
        mode: `RGB` or `L`.
        where: The dataset's path, for messages.

    Raises:
        DataError: If the column holds no pictures, or the first cannot be read.
    """

    def __init__(self, rows: Any, column: str, size: Size | None, mode: Mode, where: Path) -> None:
        if numeric(feature := rows.features[column]):
            held = f"the column {column!r} holds {kind(feature)}, no pictures"
            raise DataError(f"'{where}': {held}. For numbers use the option columns.")
        undecoded = needed("datasets", "hf").Image(decode=False)
        self._rows = rows.select_columns([column]).cast_column(column, undecoded)
        self._column, self._size, self._mode, self._where = column, size, mode, where
        self.value_range = (0.0, 1.0)
        self.data_shape = tuple(self._picture(0, self._rows[0][column]).shape)
        self.preparation = PicturePreparation((self.data_shape[1], self.data_shape[2]), mode, size is not None)

    def read(self, indices: Indices) -> Tensor:
        cells = self._rows[indices.tolist()][self._column]
        pictures = [self._picture(index, cell) for index, cell in zip(indices.tolist(), cells, strict=True)]
        for index, picture in zip(indices, pictures, strict=True):
            if tuple(picture.shape) != self.data_shape:
                each = f"that of row 0 is {self.data_shape}, of row {index} {tuple(picture.shape)}"
                raise DataError(f"'{self._where}': the pictures differ in shape: {each}. Set the option size.")
        return torch.stack(pictures)

    def _picture(self, index: int, cell: dict[str, Any] | None) -> Tensor:
        name = f"{self._where}: row {index}, {self._column}"
        if cell is None or not any(cell.values()):
            raise DataError(f"'{name}' holds no picture. Drop the row.")
        source = Path(cell["path"]) if cell["bytes"] is None else BytesIO(cell["bytes"])
        return picture_tensor(source, self._size, self._mode, name)


@final
class NumberReader(Reader):
    """Creates the reader of columns of numbers; all values are checked once.

    Args:
        rows: The `datasets.Dataset`.
        columns: The columns: one keeps its shape, several are flattened and joined.
        layout: Where the channels of a column of three axes stand.
        scaling: `auto` divides 8-bit values by 255, unless all are 0 or 1; `none` keeps all.
        where: The dataset's path, for messages.

    Raises:
        DataError: If rows differ in shape, or a value is missing or not finite.
    """

    def __init__(self, rows: Any, columns: list[str], layout: Layout, scaling: str, where: Path) -> None:
        self._rows = rows.with_format("numpy", columns=columns, dtype=np.float32)
        self._columns, self._layout, self._where = columns, layout, where
        self._sides = {name: values.shape[1:] for name, values in self._cells([0]).items()}
        self.data_shape = tuple(self[:1].shape[1:])
        blocks: Any = self  # what the checks ask of an array: its shape, type and slices
        check_values(blocks, None, where)
        small = scaling == "auto" and all(kind(rows.features[name]) in ("uint8", "bool") for name in columns)
        self._divisor = 255 if small and exceeds(blocks, 1) else 1
        self.value_range = (0.0, 1.0) if small else None
        shaped = layout if len(columns) == 1 else "auto"
        array = ArrayPreparation(self.data_shape, self._divisor, shaped, self.value_range)
        self.preparation = ColumnsPreparation({name: tuple(shape) for name, shape in self._sides.items()}, array)

    @property
    def shape(self) -> tuple[int, ...]:
        """Returns the shape of all samples, (N, *data_shape)."""
        return (len(self), *self.data_shape)

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """Returns the type that values are read as."""
        return np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: slice) -> Array:
        return self._joined(rows)

    def read(self, indices: Indices) -> Tensor:
        return torch.from_numpy(np.array(self._joined(indices.tolist()), order="C")).div_(self._divisor)

    def _joined(self, rows: slice | list[int]) -> Array:
        cells = self._cells(rows)
        for name, values in cells.items():
            if values.dtype.kind not in "biuf" or values.shape[1:] != self._sides[name]:
                cure = "Pad them, or leave the column out by the option columns"
                raise DataError(f"'{self._where}': rows of the column {name!r} differ in shape. {cure}.")
        if len(cells) > 1:
            return np.concatenate([values.reshape(len(values), -1) for values in cells.values()], axis=1)
        alone = next(iter(cells.values()))
        return arranged(alone[:, None] if alone.ndim == 1 else alone, self._layout, self._where)

    def _cells(self, rows: slice | list[int]) -> dict[str, Array]:
        read = self._rows[rows]
        return {name: np.asarray(read[name]) for name in self._columns}
