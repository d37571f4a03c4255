"""Choosing the columns of a dataset of Hugging Face, and its labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from otae.errors import ConfigError, DataError, unknown_name

PICTURE = "PIL.Image.Image"


def kind(feature: Any) -> str:
    """Returns the type of a column's innermost values, such as `float32`, `string` or `PIL.Image.Image`.

    Args:
        feature: The column's feature, as the package `datasets` tells it.
    """
    inner = getattr(feature, "feature", None)
    return str(getattr(feature, "dtype", None) or "struct") if inner is None else kind(inner)


def numeric(feature: Any) -> bool:
    """Returns whether a column holds numbers, or arrays of them.

    Args:
        feature: The column's feature.
    """
    return kind(feature).startswith(("int", "uint", "float", "bool"))


def chosen(
    rows: Any, image: str | None, columns: list[str] | None, label: str | None, where: Path
) -> tuple[str | None, list[str]]:
    """Returns the column of pictures, or `None` and the columns of numbers.

    Args:
        rows: The `datasets.Dataset`.
        image: The column of pictures that was asked for.
        columns: The columns of numbers that were asked for.
        label: The column of the classes, which is no sample.
        where: The dataset's path, for messages.

    Raises:
        ConfigError: If the label is asked for as a column.
        DataError: If a column is missing, of another kind, or cannot be told.
    """
    for name in [*([] if image is None else [image]), *(columns or [])]:
        _check_column(rows, name, where)
        if name == label:
            raise ConfigError(f"The label {label!r} cannot be one of the columns: the model would see the answer.")
    if image is not None:
        return image, []
    if columns is not None:
        return None, _checked_numbers(rows, columns, where)
    pictures = [name for name, feature in rows.features.items() if kind(feature) == PICTURE]
    if len(pictures) > 1:
        raise DataError(f"'{where}' has several columns of pictures: {', '.join(pictures)}. Set the option image.")
    numbers = [name for name, feature in rows.features.items() if numeric(feature) and name != label]
    if not pictures and not numbers:
        raise DataError(
            f"'{where}' has no column of pictures or numbers; it has {_listed(rows)}. Set image or columns."
        )
    return (pictures[0], []) if pictures else (None, numbers)


def class_labels(rows: Any, label: str | None, where: Path) -> tuple[tuple[str, ...] | None, Tensor | None]:
    """Returns the names of the classes, and one integer class per row, with shape (N,).

    Args:
        rows: The `datasets.Dataset`.
        label: The column of the classes, or `None`.
        where: The dataset's path, for messages.

    Raises:
        DataError: If the column is missing, holds something else, or lacks a value.
    """
    if label is None:
        return None, None
    _check_column(rows, label, where)
    feature, values = rows.features[label], rows.select_columns([label])[:][label]
    if None in values:
        raise DataError(f"'{where}': row {values.index(None)} has no {label!r}. Give it, or drop the row.")
    names, array = getattr(feature, "names", None), np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "biuU":
        raise DataError(f"'{where}': the label {label!r} holds {kind(feature)}, where integers or text are needed.")
    if names is not None:
        if (unknown := (array < 0) | (array >= len(names))).any():
            told = (
                f"row {int(unknown.argmax())} has the class {array[unknown][0]}, but {label!r} has {len(names)} classes"
            )
            raise DataError(f"'{where}': {told}, counted from 0 (-1 means none). Drop the option label, or such rows.")
        return tuple(names), torch.from_numpy(array.astype(np.int64))
    classes, numbers = np.unique(array, return_inverse=True)
    return tuple(str(each) for each in classes), torch.from_numpy(numbers.astype(np.int64))


def _checked_numbers(rows: Any, columns: list[str], where: Path) -> list[str]:
    for name in columns:
        if not numeric(rows.features[name]):
            cure = "For pictures set the option image" if kind(rows.features[name]) == PICTURE else "Leave it out"
            raise DataError(f"'{where}': the column {name!r} holds {kind(rows.features[name])}, no numbers. {cure}.")
    return columns


def _check_column(rows: Any, name: str, where: Path) -> None:
    if name not in rows.features:
        raise DataError(f"'{where}': {unknown_name('column', name, rows.features)}")


def _listed(rows: Any) -> str:
    return ", ".join(f"{name} ({kind(feature)})" for name, feature in rows.features.items())
