"""The way from named columns of numbers, each a number or an array a row, to samples and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from otae.errors import DataError
from otae.interfaces import Preparation

from .array_file import Array
from .array_preparation import ArrayPreparation
from .extras import needed


@dataclass(frozen=True)
class ColumnsPreparation(Preparation):
    """Holds how columns become samples: one keeps its shape, several are flattened and joined.

    Args:
        shapes: The shape of a row of each column, by its name, in order.
        array: The way from the joined columns to samples.
    """

    shapes: Mapping[str, tuple[int, ...]]
    array: ArrayPreparation

    def to_dict(self) -> dict[str, Any]:
        return {"shapes": {name: list(shape) for name, shape in self.shapes.items()}, "array": self.array.to_dict()}

    @classmethod
    def from_dict(cls, constants: Mapping[str, Any]) -> ColumnsPreparation:
        shapes = {str(name): tuple(map(int, shape)) for name, shape in constants["shapes"].items()}
        return cls(shapes, ArrayPreparation.from_dict(constants["array"]))

    def read(self, path: Path) -> Tensor:
        if path.suffix not in (".csv", ".parquet"):
            return self.array.read(path)
        if path.suffix == ".parquet":
            needed("pyarrow", "table")
        try:
            frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise DataError(f"'{path}' cannot be read: {error}. Write it with pandas, or as a .npy file.") from error
        return self._join(frame, f"'{path}'")

    def prepare(self, raw: Any) -> Tensor:
        return self._join(raw, "The data frame") if isinstance(raw, pd.DataFrame) else self.array.prepare(raw)

    def restore(self, samples: Tensor) -> Any:
        values = self.array.restore(samples)
        if len(self.shapes) == 1 and next(iter(self.shapes.values())):
            return values
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes.values()])
        blocks = np.split(values.reshape(len(values), -1), ends[:-1], axis=1)
        columns = {
            name: block[:, 0] if not shape else list(block.reshape(len(block), *shape))
            for (name, shape), block in zip(self.shapes.items(), blocks, strict=True)
        }
        return pd.DataFrame(columns)

    def _join(self, frame: pd.DataFrame, where: str) -> Tensor:
        if lacking := [name for name in self.shapes if name not in frame]:
            held = ", ".join(map(str, frame.columns))
            raise DataError(
                f"{where} lacks {', '.join(lacking)}, which the model was trained on. It holds {held}. Add them, or rename those "
                "that are meant."
            )
        cells = [_stack(frame[name].tolist(), name, where) for name in self.shapes]
        for (name, shape), values in zip(self.shapes.items(), cells, strict=True):
            if values.shape[1:] != shape:
                raise DataError(
                    f"{where}: the column {name!r} holds rows of shape {values.shape[1:]}, where the model was trained on "
                    f"{shape}."
                )
        if len(cells) == 1:
            return self.array.prepare(cells[0] if cells[0].ndim > 1 else cells[0][:, None])
        return self.array.prepare(np.concatenate([each.reshape(len(each), -1) for each in cells], axis=1))


def _stack(values: list[Any], name: str, where: str) -> Array:
    try:
        return np.stack([np.asarray(value) for value in values])
    except ValueError as error:
        raise DataError(
            f"{where}: rows of the column {name!r} differ in shape. Pad them, or drop such rows."
        ) from error
