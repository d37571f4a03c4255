"""The delimiter of a CSV file, found in its first line, or compared with it."""

from __future__ import annotations

import csv

from otae.errors import DataError

_USUAL = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


def choose_delimiter(header: str, delimiter: str | None, where: str) -> str:
    r"""Returns the delimiter of a first line.

    Args:
        header: The line.
        delimiter: What was asked for, or `None` for the usual one that parts the line into most names.
        where: The file, for messages.

    Raises:
        DataError: If another delimiter parts the line, where that which was asked for does not.

    Examples:
        >>> choose_delimiter("height;weight;name, first", None, "pets.csv")
        ';'
    """
    counts = {each: _count(header, each) for each in _USUAL}
    best = max(counts, key=lambda each: counts[each])
    if delimiter is None:
        return best if counts[best] > 1 else ","
    if _count(header, delimiter) == 1 and counts[best] > 1:
        raise DataError(
            f"{where}: {_name(delimiter)} does not part the first line, and {_name(best)} parts it into {counts[best]} names. "
            f"Set the option delimiter to {best!r}, or leave it out."
        )
    return delimiter


def _count(header: str, delimiter: str) -> int:
    try:
        names = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:
        return 1
    return 1 if any('"' in name for name in names) else len(names)  # a quote is left where it was cut through


def _name(delimiter: str) -> str:
    return _USUAL.get(delimiter, repr(delimiter))
