"""The checks of an array's values, in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np

from otae.errors import DataError

from .array_file import Array

BLOCK = 2**20
"""The number of values that are looked at together."""


def check_type(array: Array, path: Path) -> None:
    """Refuses an array that does not hold real numbers.

    Args:
        array: The array.
        path: Its file, for the message.

    Raises:
        DataError: If it holds anything but booleans, integers or floating-point numbers.
    """
    if array.dtype.kind not in "biuf":
        cure = "Write real numbers, such as array.astype('float32'); split complex ones into two channels"
        raise DataError(f"'{path}' holds values of type {array.dtype}, where numbers are needed. {cure}.")


def check_values(array: Array, value_range: tuple[float, float] | None, path: Path) -> None:
    """Refuses values that are not finite in single precision, or outside the declared range.

    Args:
        array: The array, with shape (N, …).
        value_range: The smallest and largest value allowed, in the array's own units, or `None` where unbounded.
        path: Its file, for the message.

    Raises:
        DataError: If there is such a value; the message names the sample.
    """
    if array.dtype.kind != "f" and value_range is None:
        return
    low, high = value_range or (-np.inf, np.inf)
    for start, block in _blocks(array):
        with np.errstate(over="ignore"):
            values = block.astype(np.float32).reshape(len(block), -1)
        if (lost := ~np.isfinite(values).all(axis=1)).any():
            fault, cure = "a value that is not finite (NaN, infinity or beyond float32)", "Drop or fill such samples"
            raise DataError(f"'{path}': sample {start + int(lost.argmax())} holds {fault}. {cure}.")
        if (lost := ~((values >= low) & (values <= high)).all(axis=1)).any():
            fault, cure = f"a value outside [{low:g}, {high:g}]", "Rescale the array, or correct the option value_range"
            raise DataError(f"'{path}': sample {start + int(lost.argmax())} holds {fault}. {cure}.")


def exceeds(array: Array, bound: float) -> bool:
    """Returns whether a value is above a bound; it stops at the first block that has one.

    Args:
        array: The array, with shape (N, …).
        bound: The bound.
    """
    return any(bool(block.max() > bound) for _, block in _blocks(array))


def _blocks(array: Array) -> Iterator[tuple[int, Array]]:
    rows = max(1, BLOCK // prod(array.shape[1:]))
    for start in range(0, len(array), rows):
        yield start, array[start : start + rows]
