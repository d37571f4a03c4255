"""The dataset of a table: numbers scaled, categories one-hot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import torch
from pydantic import BeforeValidator, Field
from torch import Tensor

from otae.errors import ConfigError

from .array_file import Array
from .batched import Batched
from .column_rules import Learning
from .columns import read_columns
from .encodings import Missing, Scaling
from .indices import checked
from .paths import existing_file
from .table_content import learn_table
from .table_preparation import TablePreparation


def _read_tab(value: Any) -> Any:
    return "\t" if value == r"\t" else value


Delimiter: TypeAlias = Annotated[str, BeforeValidator(_read_tab), Field(min_length=1, max_length=1)]


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
        units: The unit of a column, by its name, such as `{height: cm}`, for reports.

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
        delimiter: Delimiter | None = None,
        decimal: Literal[".", ","] = ".",
        max_categories: Annotated[int, Field(gt=0, le=1_000_000)] = 100,
        units: dict[str, str] | None = None,
    ) -> None:
        super().__init__()
        if label is not None and label in (columns or ()):
            raise ConfigError(f"The label {label!r} cannot be one of the columns: the model would see the answer.")
        self._path = existing_file(path)
        where, marks = f"'{self._path}'", tuple(missing_values or ())
        wanted = None if columns is None else [*columns, *([] if label is None else [label])]
        learning = Learning(frozenset(categorical or ()), scaling, missing, decimal, max_categories, where, units or {})
        content = learn_table(read_columns(self._path, delimiter, wanted, marks), label, learning, delimiter, marks)
        self._samples, self.features = content.samples, content.features
        self.preparation: TablePreparation = content.preparation
        self.class_names, self.labels = content.class_names, content.labels
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
