"""The dataset of a table: numbers scaled, categories one-hot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from otae.errors import ConfigError, DataError, unknown_name
from otae.interfaces import Feature

from .array_file import Array
from .batched import Batched
from .columns import line, read_columns
from .encodings import Encoding, Missing, Scaling, one_hot, scaled
from .indices import checked
from .paths import existing_file


class Table(Batched):
    """Creates a dataset from a CSV or Parquet file: one row a sample, numbers scaled, categories one-hot.

    A column is of numbers where every value reads as one, else of categories. The first line of a CSV file names the
    columns. The scaling is computed from all rows of the file, so that file and options decide it; `decode` takes rows of
    a model back to the file's units. The table is held in memory, as float32. Parquet needs `pip install 'otae[table]'`.

    Args:
        path: The file; a relative path starts at the working directory, or else the data folder.
        columns: The columns to use, in the order of the file; all but the label where `None`.
        label: The column of the classes, which is no part of the samples; any values, numbered in sorted order.
        categorical: Columns of numbers that are categories all the same, such as postal codes.
        scaling: `standard` for mean 0 and standard deviation 1, `min-max` for [0, 1], `none` to keep numbers.
        missing: `refuse` missing values, naming row and column, or `impute` the column's mean, or its most frequent
            category, of equals the first in sorted order. In CSV, missing are: nothing, NA, N/A, NaN, null, None and ?.
        delimiter: What stands between the values of a CSV file.
        max_categories: The largest number of categories of a column.

    Attributes:
        features: What each entry of a sample is: a column, or one category of a column.
        class_names: The values of the label column, in the order of the labels; `None` where there is none.

    Raises:
        ConfigError: If pyarrow is needed and not installed, or the label is asked for as a column.
        DataError: If the file is missing, damaged, or does not hold what it should; the message names row and column.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "pets.csv"
        >>> _ = path.write_text("weight,kind,name\\n4,cat,Tom\\n8,dog,Rex\\n")
        >>> pets = Table(path, label="name", scaling="min-max")
        >>> [feature.title for feature in pets.features], pets[1].tolist(), pets.class_names
        (['weight', 'kind=cat', 'kind=dog'], [1.0, 0.0, 1.0], ('Rex', 'Tom'))
        >>> pets.decode(pets[0][None])
        {'weight': array([4.]), 'kind': array(['cat'], dtype=object)}
    """

    def __init__(
        self,
        path: str | Path,
        *,
        columns: list[str] | None = None,
        label: str | None = None,
        categorical: list[str] | None = None,
        scaling: Scaling = "standard",
        missing: Missing = "refuse",
        delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ",",
        max_categories: Annotated[int, Field(gt=0)] = 100,
    ) -> None:
        super().__init__()
        if label is not None and label in (columns or ()):
            raise ConfigError(f"The label {label!r} cannot be one of the columns: the model would see the answer.")
        self._path = existing_file(path)
        wanted = None if columns is None else [*columns, *([] if label is None else [label])]
        read = dict(read_columns(self._path, delimiter, wanted))
        self.class_names, self.labels = self._label(read, label)
        if not read:
            raise DataError(f"'{self._path}' holds no column besides the label. Write one.")
        for name in categorical or ():
            if name not in read:
                raise ConfigError(f"categorical: {unknown_name('column', name, read)}")
        self._encodings: dict[str, Encoding] = {}
        encoded = []
        for name, values in read.items():
            column = self._typed(name, values, name in (categorical or ()), missing)
            numeric = column.dtype.kind == "f"
            made = (
                scaled(name, column, scaling) if numeric else one_hot(name, column, max_categories, f"'{self._path}'")
            )
            self._encodings[name] = made
            encoded.append(made.encode(column))
        self._samples = torch.from_numpy(np.concatenate(encoded, axis=1).astype(np.float32))
        self.features = tuple(
            Feature(name)
            if len(made.names) == 1 and made.names[0] == name
            else Feature(name, category=entry[len(name) + 1 :])
            for name, made in self._encodings.items()
            for entry in made.names
        )
        self.data_shape = (self._samples.shape[1],)
        self.value_range = (0.0, 1.0) if scaling == "min-max" else None

    def __len__(self) -> int:
        return len(self._samples)

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        return self._samples[torch.from_numpy(checked(indices, len(self)))]

    def decode(self, rows: Tensor) -> dict[str, Array]:
        """Returns rows in the file's units, by column: numbers unscaled, and of each one-hot block the largest entry.

        Args:
            rows: The rows, such as reconstructions, with shape (N, D).

        Raises:
            DataError: If they have another number of entries.
        """
        entries = rows.detach().cpu().double().numpy()
        if entries.ndim != 2 or entries.shape[1] != self.data_shape[0]:
            raise DataError(f"Rows of this table have shape (N, {self.data_shape[0]}), not {entries.shape}.")
        ends = np.cumsum([len(made.names) for made in self._encodings.values()])[:-1]
        blocks = np.split(entries, ends, axis=1)
        return {name: made.decode(block) for (name, made), block in zip(self._encodings.items(), blocks, strict=True)}

    def _label(self, read: dict[str, Array], label: str | None) -> tuple[tuple[str, ...] | None, Tensor | None]:
        if label is None:
            return None, None
        if label not in read:
            raise DataError(f"'{self._path}': {unknown_name('column', label, read)}")
        column = read.pop(label)
        if (lost := _absent(column)).any():
            raise DataError(
                f"{line(int(lost.argmax()), self._path)}: the label {label!r} is missing. Give it, or drop the row."
            )
        kept = _numbers(column)
        classes, numbers = np.unique(column.astype(str) if kept is None else kept, return_inverse=True)
        names = tuple(str(each) if kept is None else f"{each:g}" for each in classes)
        return names, torch.from_numpy(numbers.astype(np.int64))

    def _typed(self, name: str, values: Array, category: bool, missing: Missing) -> Array:
        lost = _absent(values)
        if lost.any() and missing == "refuse":
            where = line(int(lost.argmax()), self._path)
            raise DataError(f"{where}: the column {name!r} has no value. Give one, or set missing: impute.")
        if lost.all():
            raise DataError(
                f"'{self._path}': the column {name!r} has no value at all. Leave it out by the option columns."
            )
        numbers = None if category else _numbers(values[~lost])
        if numbers is None:
            return _text(values, lost)
        column = np.zeros(len(values))
        column[~lost] = numbers
        with np.errstate(over="ignore"):
            wild = ~np.isfinite(column.astype(np.float32))
        if wild.any():
            fault = "a value that is not finite (infinity or beyond float32)"
            raise DataError(f"{line(int(wild.argmax()), self._path)}: the column {name!r} holds {fault}. Mend it.")
        column[lost] = numbers.mean()
        return column


def _absent(values: Array) -> Array:
    return np.array([value is None for value in values])


def _numbers(values: Array) -> Array | None:
    """Returns values as numbers, or `None` where one does not read as such."""
    try:
        with np.errstate(over="ignore"):
            return values.astype(np.float64)
    except (ValueError, TypeError):
        return None


def _text(values: Array, lost: Array) -> Array:
    names, counts = np.unique(values[~lost].astype(str), return_counts=True)
    column = values.copy()
    column[lost] = names[counts.argmax()]
    return column.astype(str)
