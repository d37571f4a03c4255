"""The dataset of a table: numbers scaled, categories one-hot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from otae.errors import ConfigError, DataError, unknown_name
from otae.interfaces import Feature

from .array_file import Array
from .batched import Batched
from .column_rules import ColumnRule, Learning, as_text, read_numbers
from .columns import line, read_columns
from .encodings import Missing, OneHot, Scaling
from .indices import checked
from .paths import existing_file
from .table_preparation import TablePreparation


class Table(Batched):
    """Creates a dataset from a CSV or Parquet file: one row a sample, numbers scaled, categories one-hot.

    A column is of numbers where pandas reads most values as such; a cell that is none is then refused by row, column and
    text. Any other column is of categories, and refused where most of its values differ. The first line of a CSV file names the
    columns. The scaling is computed from all rows of the file, so that file and options decide it; `decode` takes rows of
    a model back to the file's units. The table is held in memory, as float32. Parquet needs `pip install 'otae[table]'`.

    Args:
        path: The file; a relative path starts at the working directory, or else the data folder.
        columns: The columns to use, in the order of the file; all but the label where `None`.
        label: The column of the classes, which is no part of the samples; any values, numbered in sorted order.
        categorical: Columns of numbers that are categories all the same, such as postal codes.
        scaling: `standard` for mean 0 and standard deviation 1, `min-max` for [0, 1], `none` to keep numbers.
        missing: `refuse` missing values, naming row and column, or `impute` the column's mean, or its most frequent
            category, of equals the first in sorted order. In CSV, missing are: nothing, ? and all that pandas takes for it,
            such as NA, #N/A, NaN, null and None.
        missing_values: What else stands for a missing value in CSV, such as `-999`.
        delimiter: What stands between the values of a CSV file; found in its first line where `None`.
        decimal: The decimal mark of numbers in a CSV file.
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

    preparations = TablePreparation

    def __init__(
        self,
        path: str | Path,
        *,
        columns: list[str] | None = None,
        label: str | None = None,
        categorical: list[str] | None = None,
        scaling: Scaling = "standard",
        missing: Missing = "refuse",
        missing_values: list[str] | None = None,
        delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None,
        decimal: Literal[".", ","] = ".",
        max_categories: Annotated[int, Field(gt=0)] = 100,
    ) -> None:
        super().__init__()
        if label is not None and label in (columns or ()):
            raise ConfigError(f"The label {label!r} cannot be one of the columns: the model would see the answer.")
        self._path = existing_file(path)
        where, marks = f"'{self._path}'", tuple(missing_values or ())
        wanted = None if columns is None else [*columns, *([] if label is None else [label])]
        read = dict(read_columns(self._path, delimiter, wanted, marks))
        self.class_names, self.labels = _label(read, label, decimal, where)
        if not read:
            raise DataError(f"{where} holds no column besides the label. Write one.")
        for name in categorical or ():
            if name not in read:
                raise ConfigError(f"categorical: {unknown_name('column', name, read)}")
        learning = Learning(frozenset(categorical or ()), scaling, missing, decimal, max_categories, where)
        rules = tuple(learning.learn(name, values) for name, values in read.items())
        self.preparation: TablePreparation = TablePreparation(rules, missing, delimiter, decimal, marks)
        self._samples = self.preparation.encode(read, where)
        self.features = tuple(feature for rule in rules for feature in _features(rule))
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
        return self.preparation.decode(rows)


def _features(rule: ColumnRule) -> tuple[Feature, ...]:
    if isinstance(rule.encoding, OneHot):
        return tuple(Feature(rule.name, category=category) for category in rule.encoding.categories)
    return (Feature(rule.name),)


def _label(
    read: dict[str, Array], label: str | None, decimal: str, where: str
) -> tuple[tuple[str, ...] | None, Tensor | None]:
    """Returns the names of the classes, and one integer class per row, with shape (N,); takes the label from the columns."""
    if label is None:
        return None, None
    if label not in read:
        raise DataError(f"{where}: {unknown_name('column', label, read)}")
    column = read.pop(label)
    if (lost := np.array([value is None for value in column])).any():
        raise DataError(f"{line(int(lost.argmax()), where)}: the label {label!r} is missing. Give it, or drop the row.")
    numbers = read_numbers(column, decimal)
    texts = bool(np.isnan(numbers).any())
    classes, places = np.unique(as_text(column) if texts else numbers, return_inverse=True)
    names = tuple(str(each) if texts else f"{each:g}" for each in classes)
    return names, torch.from_numpy(places.astype(np.int64))
