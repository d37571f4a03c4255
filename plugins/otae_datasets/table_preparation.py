"""The way from a table's rows to samples and back, with the constants of the training data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from otae.errors import DataError
from otae.interfaces import Preparation

from .array_file import Array
from .column_rules import ColumnRule
from .columns import frame_columns, read_columns
from .encodings import Missing
from .paths import existing_file


@dataclass(frozen=True)
class TablePreparation(Preparation):
    """Holds how rows become samples.

    Args:
        rules: The rule of each column, in the order of the entries.
        missing: Whether missing values are refused, or imputed from the training data.
        delimiter: What stands between the values of a CSV file, found where `None`.
        decimal: The decimal mark.
        missing_values: What else stands for a missing value in a CSV file.
    """

    rules: tuple[ColumnRule, ...]
    missing: Missing
    delimiter: str | None
    decimal: str
    missing_values: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        columns = [rule.to_dict() for rule in self.rules]
        options = {"missing": self.missing, "delimiter": self.delimiter, "decimal": self.decimal}
        return {"columns": columns, **options, "missing_values": list(self.missing_values)}

    @classmethod
    def from_dict(cls, constants: Mapping[str, Any]) -> TablePreparation:
        rules = tuple(ColumnRule.from_dict(told) for told in constants["columns"])
        marks = tuple(constants["missing_values"])
        return cls(rules, constants["missing"], constants["delimiter"], constants["decimal"], marks)

    @property
    def names(self) -> list[str]:
        """Returns the names of the columns."""
        return [rule.name for rule in self.rules]

    def read(self, path: Path) -> Tensor:
        file = existing_file(path)
        found = read_columns(file, self.delimiter, None, self.missing_values)
        return self.encode(self._require(found, f"'{file}'"), f"'{file}'")

    def prepare(self, raw: Any) -> Tensor:
        if not isinstance(raw, pd.DataFrame):
            raise DataError(
                f"This model was trained on a table: give a pandas.DataFrame with the columns {', '.join(self.names)}, not "
                f"{type(raw).__name__}."
            )
        where = "The data frame"
        return self.encode(self._require(frame_columns(raw, None), where), where)

    def restore(self, samples: Tensor) -> pd.DataFrame:
        blocks = self._cut(samples)
        return pd.concat([rule.restore(block) for rule, block in zip(self.rules, blocks, strict=True)], axis=1)

    def encode(self, columns: Mapping[str, Array], where: str) -> Tensor:
        """Returns the samples of columns, with shape (N, D).

        Args:
            columns: The columns by name, with `None` where a value is missing.
            where: The table, for messages.

        Raises:
            DataError: If a value does not fit; the message names row and column.
        """
        entries = [rule.encode(columns[rule.name], self.missing, self.decimal, where) for rule in self.rules]
        return torch.from_numpy(np.concatenate(entries, axis=1).astype(np.float32))

    def decode(self, rows: Tensor) -> dict[str, Array]:
        """Returns rows in the file's units, by column: numbers unscaled, and of each one-hot block the largest entry.

        Args:
            rows: The rows, such as reconstructions, with shape (N, D).

        Raises:
            DataError: If they have another number of entries.
        """
        blocks = self._cut(rows)
        return {rule.name: rule.encoding.decode(block) for rule, block in zip(self.rules, blocks, strict=True)}

    def _cut(self, rows: Tensor) -> list[Array]:
        """Returns the entries of each column."""
        entries = rows.detach().cpu().double().numpy()
        sizes = [len(rule.encoding.names) for rule in self.rules]
        if entries.ndim != 2 or entries.shape[1] != sum(sizes):
            raise DataError(f"Rows of this table have shape (N, {sum(sizes)}), not {entries.shape}.")
        return np.split(entries, np.cumsum(sizes)[:-1], axis=1)

    def _require(self, found: Mapping[str, Array], where: str) -> Mapping[str, Array]:
        lacking: Sequence[str] = [name for name in self.names if name not in found]
        if lacking:
            raise DataError(
                f"{where} lacks {len(lacking)} of the columns that the model was trained on: {', '.join(lacking)}. It "
                f"holds {', '.join(found)}. Add them, or rename those that are meant."
            )
        return found
