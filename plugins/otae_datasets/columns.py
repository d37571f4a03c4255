"""The columns of a table file, CSV or Parquet, each as numbers or as text."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from otae.errors import DataError, unknown_name

from .array_file import Array
from .extras import needed

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
"""What stands for a missing value in a CSV file, in any case."""


def read_columns(path: Path, delimiter: str, wanted: Sequence[str] | None) -> Mapping[str, Array]:
    """Returns columns by name, as text or numbers in arrays of objects, with `None` where a value is missing.

    Args:
        path: The file; one that begins as Parquet does is read by pyarrow, any other as CSV in UTF-8.
        delimiter: What stands between the values of a CSV file.
        wanted: The columns to read, all where `None`.

    Raises:
        ConfigError: If pyarrow is needed and not installed.
        DataError: If the file is damaged, holds no rows, or lacks a column.
    """
    with path.open("rb") as stream:
        parquet = stream.read(4) == b"PAR1"
    return _parquet(path, wanted) if parquet else _csv(path, delimiter, wanted)


def line(row: int, path: Path) -> str:
    """Returns where a row stands, for messages.

    Args:
        row: The row, counted from 0.
        path: The file.
    """
    return f"'{path}', row {row + 1} of the data"


def _csv(path: Path, delimiter: str, wanted: Sequence[str] | None) -> Mapping[str, Array]:
    columns: list[list[str | None]] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            names = [name.strip() for name in next(reader, [])]
            chosen = _places(names, wanted, path)
            columns = [[] for _ in chosen]
            for row in reader:
                if row:
                    _add(row, names, chosen, columns, f"'{path}', line {reader.line_num}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"'{path}' cannot be read as CSV in UTF-8: {error}. Save it as UTF-8, or get it again."
        ) from error
    return _filled(
        {names[place]: np.array(column, dtype=object) for place, column in zip(chosen, columns, strict=True)}, path
    )


def _add(row: list[str], names: list[str], chosen: list[int], columns: list[list[str | None]], where: str) -> None:
    if len(row) != len(names):
        raise DataError(f"{where}: {len(row)} values, where the first line names {len(names)} columns. Mend that line.")
    for place, column in zip(chosen, columns, strict=True):
        value = row[place].strip()
        column.append(None if value.lower() in MISSING else value)


def _parquet(path: Path, wanted: Sequence[str] | None) -> Mapping[str, Array]:
    needed("pyarrow", "table")
    import pyarrow
    from pyarrow import parquet

    try:
        names = list(parquet.read_schema(path).names)
        chosen = [names[place] for place in _places(names, wanted, path)]
        table = parquet.read_table(path, columns=chosen)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"'{path}' cannot be read as Parquet: {error}. If it is damaged, get it again.") from error
    return _filled({name: _objects(table[name].to_pylist()) for name in chosen}, path)


def _objects(values: list[Any]) -> Array:
    column: Array = np.empty(len(values), dtype=object)
    column[:] = [None if value != value else value for value in values]  # noqa: PLR0124 - NaN differs from itself
    return column


def _places(names: Sequence[str], wanted: Sequence[str] | None, path: Path) -> list[int]:
    if not names or any(not name or _is_number(name) for name in names) or len(set(names)) < len(names):
        told = ", ".join(map(repr, names)) or "nothing"
        raise DataError(f"'{path}' must begin with a line of different column names, none a number; it holds {told}.")
    for name in wanted or ():
        if name not in names:
            raise DataError(f"'{path}': {unknown_name('column', name, names)}")
    return [names.index(name) for name in names if wanted is None or name in wanted]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _filled(columns: Mapping[str, Array], path: Path) -> Mapping[str, Array]:
    if not columns or not len(next(iter(columns.values()))):
        raise DataError(f"'{path}' holds no rows below its column names. Write at least one.")
    return columns
