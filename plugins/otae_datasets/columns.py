"""The columns of a table: of a CSV or Parquet file, or of a data frame."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from otae.errors import DataError, unknown_name

from .array_file import Array
from .delimiters import choose_delimiter
from .extras import needed

MISSING = frozenset(
    {"", "#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "1.#ind", "1.#qnan", "<na>", "n/a", "na", "nan"}
    | {"none", "null", "?"}
)
"""What stands for a missing value in a CSV file, in any case: all that pandas takes for one, and the question mark."""


def read_columns(
    path: Path, delimiter: str | None, wanted: Sequence[str] | None, missing: Sequence[str] = ()
) -> Mapping[str, Array]:
    """Returns columns by name, as text or numbers in arrays of objects, with `None` where a value is missing.

    Args:
        path: The file; one that begins as Parquet does is read by pyarrow, any other as CSV in UTF-8.
        delimiter: What stands between the values of a CSV file; found in its first line where `None`.
        wanted: The columns to read, all where `None`.
        missing: What else stands for a missing value in a CSV file.

    Raises:
        ConfigError: If pyarrow is needed and not installed.
        DataError: If the file is corrupt, holds no rows, or lacks a column.
    """
    with path.open("rb") as stream:
        parquet = stream.read(4) == b"PAR1"
    return _read_parquet(path, wanted) if parquet else _read_csv(path, delimiter, wanted, missing)


def frame_columns(frame: Any, wanted: Sequence[str] | None) -> Mapping[str, Array]:
    """Returns the columns of a data frame of pandas by name, with `None` where a value is missing.

    Args:
        frame: The data frame.
        wanted: The columns to take, all where `None`.

    Raises:
        DataError: If it holds no rows, lacks a column, or a column holds lists.
    """
    names = [str(name) for name in frame.columns]
    places = _places(names, wanted, "The data frame")
    columns = {
        names[place]: to_objects(frame.iloc[:, place].tolist(), names[place], "The data frame") for place in places
    }
    return _filled(columns, "The data frame")


def line(row: int, where: str) -> str:
    """Returns where a row stands, for messages.

    Args:
        row: The row, counted from 0.
        where: The table.
    """
    return f"{where}, row {row + 1} of the data"


def _read_csv(
    path: Path, delimiter: str | None, wanted: Sequence[str] | None, missing: Sequence[str]
) -> Mapping[str, Array]:
    columns: list[list[str | None]] = []
    marks = MISSING | {mark.lower() for mark in missing}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            chosen_delimiter = choose_delimiter(stream.readline(), delimiter, f"'{path}'")
            stream.seek(0)
            reader = csv.reader(stream, delimiter=chosen_delimiter, strict=True)
            names = [name.strip() for name in next(reader, [])]
            index = _is_index(names, wanted)
            chosen = _csv_places(names, wanted, path)
            columns = [[] for _ in chosen]
            for row in reader:
                if row:
                    _add(row, names, chosen, columns, marks, f"'{path}', line {reader.line_num}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"'{path}' cannot be read as CSV in UTF-8: {error}. Save it as UTF-8, or get it again."
        ) from error
    found = {names[place]: np.array(column, dtype=object) for place, column in zip(chosen, columns, strict=True)}
    if index:
        _check_index(found.pop(""), path)
    return _filled(found, f"'{path}'")


def _is_index(names: Sequence[str], wanted: Sequence[str] | None) -> bool:
    """Returns whether the first column has no name, as that of row numbers which pandas writes."""
    return wanted is None and len(names) > 1 and not names[0]


def _check_index(column: Array, path: Path) -> None:
    numbers = column.tolist()
    if not all(isinstance(each, str) and each.isdigit() for each in numbers) or len(set(numbers)) < len(numbers):
        cure = "Name it in the first line, or choose others by the option columns"
        raise DataError(f"'{path}': the first column has no name, and holds more than row numbers. {cure}.")


def _add(
    row: list[str], names: list[str], chosen: list[int], columns: list[list[str | None]], marks: Any, where: str
) -> None:
    if len(row) != len(names):
        raise DataError(f"{where}: {len(row)} values, where the first line names {len(names)} columns. Mend that line.")
    for place, column in zip(chosen, columns, strict=True):
        value = row[place].strip()
        column.append(None if value.lower() in marks else value)


def _read_parquet(path: Path, wanted: Sequence[str] | None) -> Mapping[str, Array]:
    needed("pyarrow", "table")
    import pyarrow
    from pyarrow import parquet

    try:
        schema = parquet.read_schema(path)
        names = [name for name in schema.names if name not in _index_names(schema)]
        chosen = [names[place] for place in _places(names, wanted, f"'{path}'")]
        table = parquet.read_table(path, columns=chosen)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"'{path}' cannot be read as Parquet: {error}. If it is damaged, get it again.") from error
    return _filled({name: to_objects(table[name].to_pylist(), name, f"'{path}'") for name in chosen}, f"'{path}'")


def _index_names(schema: Any) -> set[str]:
    """Returns the columns in which pandas keeps the row numbers."""
    told = (schema.pandas_metadata or {}).get("index_columns", [])
    return {name for name in told if isinstance(name, str) and name.startswith("__index_level_")}


def to_objects(values: list[Any], name: str, where: str) -> Array:
    """Returns values as an array of objects, with `None` where one is missing.

    Args:
        values: The values, one a row.
        name: The column's name.
        where: The table, for messages.

    Raises:
        DataError: If a value is a list or a mapping.
    """
    if nested := next((value for value in values if isinstance(value, list | tuple | dict | set | np.ndarray)), None):
        cure = "Write one column for each entry, or leave it out by the option columns"
        raise DataError(f"{where}: the column {name!r} holds a {type(nested).__name__} in each row. {cure}.")
    column: Array = np.empty(len(values), dtype=object)
    column[:] = [None if _is_missing(value) else value for value in values]
    return column


def _is_missing(value: Any) -> bool:
    return value is None or (not isinstance(value, str) and str(value) in ("nan", "NaN", "NaT", "<NA>"))


def _csv_places(names: Sequence[str], wanted: Sequence[str] | None, path: Path) -> list[int]:
    """Returns the places of the columns to read; a first line of values in place of names is refused."""
    numbered = list(names) == [str(place) for place in range(len(names))]  # as pandas names columns that have no names
    if wanted is None and names and not numbered and all(is_number(name) for name in names if name):
        told = ", ".join(map(repr, names))
        raise DataError(f"'{path}' must begin with a line of different column names, not of numbers; it holds {told}.")
    return _places(names, wanted, f"'{path}'", unnamed=_is_index(names, wanted))


def _places(names: Sequence[str], wanted: Sequence[str] | None, where: str, unnamed: bool = False) -> list[int]:
    chosen = None if wanted is None else set(wanted)
    used = list(names) if chosen is None else [name for name in names if name in chosen]
    if not names or any(not name for name in used[unnamed:]) or len(set(used)) < len(used):
        told = ", ".join(map(repr, names)) or "nothing"
        raise DataError(f"{where} must begin with a line of different column names; it holds {told}.")
    places = {name: place for place, name in reversed(list(enumerate(names)))}
    for name in wanted or ():
        if name not in places:
            raise DataError(f"{where}: {unknown_name('column', name, names)}")
    return [places[name] for name in used]


def is_number(text: str) -> bool:
    """Returns whether a text reads as a number.

    Args:
        text: The text.
    """
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _filled(columns: Mapping[str, Array], where: str) -> Mapping[str, Array]:
    if not columns or not len(next(iter(columns.values()))):
        raise DataError(f"{where} holds no rows below its column names. Write at least one.")
    return columns
