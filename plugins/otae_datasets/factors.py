"""The factors that generated a dataset, read from a table of their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from otae.errors import DataError
from otae.interfaces import Factor, Factors

from .array_file import Array

Scale: TypeAlias = Literal["classes", "values"]


def varying(table: Array, kinds: Sequence[Factor], count: int, path: Path) -> tuple[Array, tuple[Factor, ...]]:
    """Returns the columns of a table of factors that vary, and what these are.

    Args:
        table: The table, with shape (N, F).
        kinds: The factors.
        count: The number of samples, N.
        path: The file of the table, for messages.

    Raises:
        DataError: If the table does not fit the samples or the factors, or holds anything but finite numbers.
    """
    if table.shape != (count, len(kinds)) or table.dtype.kind not in "iuf" or not np.isfinite(table).all():
        names = ", ".join(kind.name for kind in kinds)
        needed = f"where {count} samples need finite numbers of shape ({count}, {len(kinds)}): {names}"
        raise DataError(
            f"'{path}' holds factors of shape {table.shape} and type {table.dtype}, {needed}. Fetch it again."
        )
    kept = [column for column in range(len(kinds)) if (table[:, column] != table[0, column]).any()]
    if not kept:
        raise DataError(f"'{path}' holds factors that never vary. Fetch it again.")
    return table[:, kept], tuple(kinds[column] for column in kept)


@dataclass(frozen=True)
class Scales:
    """Holds the factors of one table on both scales.

    Args:
        classes: Whole numbers that count the distinct values of each factor from 0.
        values: The values.
    """

    classes: Factors
    values: Factors

    def named(self, scale: Scale) -> Factors:
        """Returns the factors on one scale.

        Args:
            scale: `classes` or `values`.
        """
        return self.values if scale == "values" else self.classes

    def labels(self, name: str) -> tuple[Tensor | None, tuple[str, ...] | None]:
        """Returns the classes of one factor, with shape (N,), and their names; `None` where it does not vary, has none.

        Args:
            name: The factor's name.
        """
        names = self.classes.names
        if name not in names:
            return None, None
        return self.classes.column(name).clone(), self.classes.kinds[names.index(name)].labels


def read_factors(values: Array, kinds: Sequence[Factor], path: Path) -> Scales:
    """Returns factors as classes and as values, each with the values that occur.

    Args:
        values: The values, with shape (N, F), several in each column.
        kinds: What the columns are.
        path: The file of the table, for messages.

    Raises:
        DataError: If a circular factor leaves its circle.
    """
    single = values.astype(np.float32)
    found = [np.unique(column, return_inverse=True) for column in single.T]
    classes = np.stack([numbers for _, numbers in found], axis=1).astype(np.int64)
    try:
        described = [_described(kind, distinct) for kind, (distinct, _) in zip(kinds, found, strict=True)]
    except ValueError as error:
        raise DataError(f"'{path}' holds wrong factors. {error} Fetch it again.") from error
    counted = [_counted(kind) for kind in described]
    return Scales(
        Factors(torch.from_numpy(classes), tuple(counted)), Factors(torch.from_numpy(single), tuple(described))
    )


def _described(kind: Factor, distinct: Array) -> Factor:
    labels = kind.labels if kind.labels is not None and len(kind.labels) == len(distinct) else None
    return replace(kind, values=tuple(distinct.tolist()), labels=labels)


def _counted(kind: Factor) -> Factor:
    """Returns a factor whose values are counted from 0, a circle's length in steps of the first."""
    values = kind.values or ()
    period = None if kind.period is None else kind.period / (values[1] - values[0])
    return replace(kind, values=tuple(float(place) for place in range(len(values))), period=period)
