"""The factors that generated a dataset, as a table of classes or of values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from otae.errors import DataError

from .array_file import Array

Scale: TypeAlias = Literal["classes", "values"]


def varying(table: Array, names: Sequence[str], count: int, path: Path) -> tuple[Array, tuple[str, ...]]:
    """Returns the columns of a table of factors that vary, and their names.

    Args:
        table: The table, with shape (N, F).
        names: The factors' names.
        count: The number of samples, N.
        path: The file of the table, for messages.

    Raises:
        DataError: If the table does not fit the samples or the names, or holds anything but finite numbers.
    """
    if table.shape != (count, len(names)) or table.dtype.kind not in "iuf" or not np.isfinite(table).all():
        needed = f"where {count} samples need finite numbers of shape ({count}, {len(names)}): {', '.join(names)}"
        raise DataError(
            f"'{path}' holds factors of shape {table.shape} and type {table.dtype}, {needed}. Fetch it again."
        )
    kept = [column for column in range(len(names)) if (table[:, column] != table[0, column]).any()]
    if not kept:
        raise DataError(f"'{path}' holds factors that never vary. Fetch it again.")
    return table[:, kept], tuple(names[column] for column in kept)


def classes_of(name: str, table: Array, names: Sequence[str]) -> Tensor | None:
    """Returns the classes of one factor, with shape (N,), or `None` where it does not vary.

    Args:
        name: The factor's name.
        table: The factors that vary, with shape (N, F).
        names: Their names.
    """
    return scaled(table, "classes")[:, names.index(name)] if name in names else None


def scaled(table: Array, scale: Scale) -> Tensor:
    """Returns factors as whole numbers that count the distinct values of each, or as the values, with shape (N, F).

    Args:
        table: The values, with shape (N, F).
        scale: `classes` or `values`.
    """
    if scale == "values":
        return torch.from_numpy(table.astype(np.float32))
    columns = [np.unique(table[:, column], return_inverse=True)[1] for column in range(table.shape[1])]
    return torch.from_numpy(np.stack(columns, axis=1).astype(np.int64))
