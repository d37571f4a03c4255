"""The rule by which a table's column becomes entries: learnt from the training data, and kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from otae.errors import DataError

from .array_file import Array
from .columns import line
from .encodings import Encoding, Missing, OneHot, Scaled, Scaling, one_hot, scaled

_MANY = 20
"""More distinct texts than so many, and than half of the rows, are names or dates and no categories."""


@dataclass(frozen=True)
class ColumnRule:
    """Holds how one column becomes entries.

    Args:
        name: The column's name.
        encoding: Its encoding.
        fill: What stands in for a missing value.
        whole: Whether its numbers are whole.
        unit: The unit of its numbers, or `None`.
    """

    name: str
    encoding: Encoding
    fill: float | str
    whole: bool
    unit: str | None = None

    def encode(self, values: Array, missing: Missing, decimal: str, where: str) -> NDArray[np.float64]:
        """Returns the entries of a column, with shape (N, E).

        Args:
            values: The values, with `None` where one is missing.
            missing: Whether missing values are refused or imputed.
            decimal: The decimal mark.
            where: The table, for messages.

        Raises:
            DataError: If a value is missing, is no number in a column of numbers, or is a category that is not known.
        """
        lost = find_missing(self.name, values, missing, where)
        column = np.where(lost, np.array(self.fill, dtype=object), values)
        if not isinstance(self.encoding, OneHot):
            numbers = require_numbers(self.name, column, decimal, where)
            if isinstance(self.encoding, Scaled) and self.encoding.log and (low := numbers <= 0).any():
                row = int(low.argmax())
                told = f"the column {self.name!r} holds {numbers[row]:g}, which has no logarithm"
                raise DataError(f"{line(row, where)}: {told}. Drop such rows.")
            return self.encoding.encode(numbers)
        texts = as_text(column)
        unseen = ~np.isin(texts, np.array(self.encoding.categories))
        if unseen.any():
            row = int(unseen.argmax())
            known = ", ".join(self.encoding.categories[:10]) + (", …" if len(self.encoding.categories) > 10 else "")
            raise DataError(
                f"{line(row, where)}: the column {self.name!r} holds {str(texts[row])!r}, which the training data lacked; "
                f"they held {known}. Drop such rows, or train anew with them."
            )
        return self.encoding.encode(texts)

    def to_dict(self) -> dict[str, Any]:
        """Returns the rule as plain values."""
        told = {"name": self.name, "fill": self.fill, "whole": self.whole, "unit": self.unit}
        if isinstance(self.encoding, OneHot):
            return {**told, "categories": list(self.encoding.categories)}
        assert isinstance(self.encoding, Scaled)
        return {**told, "shift": self.encoding.shift, "scale": self.encoding.scale, "log": self.encoding.log}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> ColumnRule:
        """Returns the rule of plain values.

        Args:
            told: What `to_dict` returned.
        """
        name = str(told["name"])
        encoding: Encoding = (
            Scaled((name,), float(told["shift"]), float(told["scale"]), bool(told.get("log", False)))
            if "shift" in told
            else named(name, tuple(map(str, told["categories"])))
        )
        return cls(name, encoding, told["fill"], bool(told["whole"]), told.get("unit"))

    def restore(self, entries: NDArray[np.float64]) -> pd.Series[Any]:
        """Returns entries as a column of a data frame: whole numbers as such, categories as categories.

        Args:
            entries: The entries, with shape (N, E).
        """
        values = self.encoding.decode(entries)
        if isinstance(self.encoding, OneHot):
            kind = int if self.whole else str
            categories = sorted(kind(each) for each in self.encoding.categories)
            return pd.Series(pd.Categorical([kind(each) for each in values], categories=categories), name=self.name)
        return pd.Series(np.round(values).astype(np.int64) if self.whole else values, name=self.name)


def named(name: str, categories: tuple[str, ...]) -> OneHot:
    """Returns the encoding of categories, its entries named.

    Args:
        name: The column's name.
        categories: The categories, sorted.
    """
    return OneHot(tuple(f"{name}={category}" for category in categories), categories)


@dataclass(frozen=True)
class Learning:
    """Holds how rules are learnt.

    Args:
        categorical: Columns that are categories whatever they hold.
        scaling: How numbers are scaled.
        missing: Whether missing values are refused or imputed.
        decimal: The decimal mark.
        max_categories: The largest number of categories of a column.
        where: The table, for messages.
        units: The unit of a column, by its name.
    """

    categorical: frozenset[str]
    scaling: Scaling
    missing: Missing
    decimal: str
    max_categories: int
    where: str
    units: Mapping[str, str] = field(default_factory=dict)

    def learn(self, name: str, values: Array) -> ColumnRule:
        """Returns the rule of a column.

        Args:
            name: The column's name.
            values: The values, with `None` where one is missing.

        Raises:
            DataError: If a value is missing and refused, a cell is no number in a column of numbers, or a column of text
                holds names or dates rather than categories.
        """
        lost = find_missing(name, values, self.missing, self.where)
        if lost.all():
            raise DataError(
                f"{self.where}: the column {name!r} has no value at all. Leave it out by the option columns."
            )
        there = values[~lost]
        numbers = read_numbers(there, self.decimal)
        readable = ~np.isnan(numbers)
        if name not in self.categorical and readable.mean() > 0.5:
            whole_column = readable.all() and not lost.any()
            column = numbers if whole_column else np.where(lost, 0.0, values)
            column = require_numbers(name, column, self.decimal, self.where)
            fill = float(column[~lost].mean())
            whole = bool((numbers == np.round(numbers)).all())
            unit = self.units.get(name)
            return ColumnRule(name, scaled(name, np.where(lost, fill, column), self.scaling), fill, whole, unit)
        texts = as_text(there)
        self._check_categories(name, texts)
        names, counts = np.unique(texts, return_counts=True)
        encoding = one_hot(name, texts, self.max_categories, self.where)
        whole = all(re.fullmatch(r"0|-?[1-9]\d{0,17}", category) for category in encoding.categories)
        return ColumnRule(name, encoding, str(names[counts.argmax()]), whole, self.units.get(name))

    def _check_categories(self, name: str, texts: Array) -> None:
        if name in self.categorical:
            return
        distinct = np.unique(texts)
        if hint := _find_numbers(distinct, self.decimal):
            raise DataError(f"{self.where}: the column {name!r} holds text such as {str(texts[0])!r}: {hint}.")
        if len(distinct) > max(_MANY, len(texts) / 2):
            told = f"the column {name!r} holds {len(distinct)} different texts in {len(texts)} rows, such as {str(texts[0])!r}"
            dates = not pd.to_datetime(pd.Series(distinct, dtype=str), errors="coerce", format="ISO8601").isna().any()
            cure = "Write these dates as numbers, such as days since the first, or l" if dates else "L"
            leave = "eave the column out by the option columns, or name it in the option categorical"
            raise DataError(f"{self.where}: {told}. {cure}{leave}.")


def _find_numbers(texts: Array, decimal: str) -> str | None:
    """Returns how texts are numbers all the same, written in another way, or `None`."""
    if all(re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", text) for text in texts):
        return "write numbers without commas between thousands, or set the option decimal if they are decimal marks"
    other = "." if decimal == "," else ","
    if not np.isnan(read_numbers(texts, other)).any():
        return f"these are numbers with the decimal mark {other!r}. Set the option decimal, or name it in the option categorical"
    return None


def find_missing(name: str, values: Array, missing: Missing, where: str) -> NDArray[np.bool_]:
    """Returns where values are missing, with shape (N,).

    Args:
        name: The column's name.
        values: The values, with `None` where one is missing.
        missing: Whether missing values are refused.
        where: The table, for messages.

    Raises:
        DataError: If one is missing and refused.
    """
    lost = np.array([value is None for value in values], dtype=bool)
    if lost.any() and missing == "refuse":
        place = line(int(lost.argmax()), where)
        raise DataError(f"{place}: the column {name!r} has no value. Give one, or set missing: impute.")
    return lost


def read_numbers(values: Array, decimal: str = ".") -> NDArray[np.float64]:
    """Returns values as numbers, NaN where pandas reads none, with shape (N,).

    Args:
        values: The values, text or numbers.
        decimal: The decimal mark of text.
    """
    plain = np.empty(len(values), dtype=object)
    plain[:] = [_plain(value, decimal) for value in values]
    return np.asarray(pd.to_numeric(plain, errors="coerce"), dtype=np.float64)


def _plain(value: Any, decimal: str) -> Any:
    if isinstance(value, str):
        return value if decimal == "." else value.replace(".", "x").replace(decimal, ".")
    return value if isinstance(value, int | float | np.number | np.bool_) else None


def require_numbers(name: str, values: Array, decimal: str, where: str) -> NDArray[np.float64]:
    """Returns values as finite numbers, with shape (N,).

    Args:
        name: The column's name.
        values: The values, text or numbers, none of them missing.
        decimal: The decimal mark of text.
        where: The table, for messages.

    Raises:
        DataError: If one is no number, or not finite in single precision; the message names row and text.
    """
    numbers = values if values.dtype == np.float64 else read_numbers(values, decimal)
    if (strange := np.isnan(numbers)).any():
        row = int(strange.argmax())
        cure = "Mend it, name it in the option missing_values, or name the column in the option categorical"
        told = f"the column {name!r} holds {str(values[row])!r} among numbers"
        raise DataError(f"{line(row, where)}: {told}. {cure}.")
    with np.errstate(over="ignore"):
        wild = ~np.isfinite(numbers.astype(np.float32))
    if wild.any():
        fault = "a value that is not finite (infinity or beyond float32)"
        raise DataError(f"{line(int(wild.argmax()), where)}: the column {name!r} holds {fault}. Mend it.")
    return numbers


def as_text(values: Array) -> Array:
    """Returns values as the text that stands for them, whole numbers without a fraction.

    Args:
        values: The values.
    """
    return np.array(
        [f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value) for value in values]
    )
