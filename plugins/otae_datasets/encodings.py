"""The encodings of table columns as numbers, and the way back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from otae.errors import DataError

from .array_file import Array

Scaling: TypeAlias = Literal["standard", "min-max", "none"]
Missing: TypeAlias = Literal["refuse", "impute"]


class Encoding(ABC):
    """Creates the map between one column and the entries of a sample that stand for it.

    Attributes:
        names: The names of these entries.
    """

    names: tuple[str, ...]

    @abstractmethod
    def encode(self, column: Array) -> NDArray[np.float64]:
        """Returns the entries of a column, with shape (N, E).

        Args:
            column: The values, with shape (N,).
        """

    @abstractmethod
    def decode(self, entries: NDArray[np.float64]) -> Array:
        """Returns the values that entries stand for, with shape (N,).

        Args:
            entries: The entries, with shape (N, E).
        """


@dataclass(frozen=True)
class Scaled(Encoding):
    """Creates the encoding of numbers: (value - shift) / scale, of the values or of their logarithms.

    Args:
        names: The column's name.
        shift: What is taken away.
        scale: What is divided by.
        log: Whether natural logarithms are taken first.
    """

    names: tuple[str, ...]
    shift: float
    scale: float
    log: bool = False

    def encode(self, column: Array) -> NDArray[np.float64]:
        values = column.astype(np.float64)[:, None]
        return ((np.log(values) if self.log else values) - self.shift) / self.scale

    def decode(self, entries: NDArray[np.float64]) -> Array:
        values = entries[:, 0] * self.scale + self.shift
        return np.exp(values) if self.log else values


@dataclass(frozen=True)
class OneHot(Encoding):
    """Creates the encoding of categories: 1 in the entry of the category, 0 in the others.

    Args:
        names: The entries' names, as `colour=red`.
        categories: The categories, sorted.
    """

    names: tuple[str, ...]
    categories: tuple[str, ...]

    def encode(self, column: Array) -> NDArray[np.float64]:
        known = np.array(self.categories)
        places = np.searchsorted(known, column.astype(str)).clip(max=len(known) - 1)
        entries: NDArray[np.float64] = np.eye(len(known))[places]
        return entries

    def decode(self, entries: NDArray[np.float64]) -> Array:
        values: Array = np.array(self.categories, dtype=object)[entries.argmax(axis=1)]
        return values


def scaled(name: str, column: Array, scaling: Scaling, log: bool = False) -> Scaled:
    """Returns the encoding of a column of numbers; a constant one is only shifted to 0.

    Args:
        name: The column's name.
        column: The values, with shape (N,).
        scaling: `standard` for mean 0 and standard deviation 1, `min-max` for [0, 1], `none` to keep them.
        log: Whether to take natural logarithms first.
    """
    values = np.log(column.astype(np.float64)) if log else column.astype(np.float64)
    constants: Mapping[str, tuple[Any, Any]] = {
        "standard": (values.mean(), values.std()),
        "min-max": (values.min(), values.max() - values.min()),
        "none": (0.0, 1.0),
    }
    shift, scale = constants[scaling]
    constant = scaling != "none" and values.min() == values.max()
    return Scaled((name,), float(values[0] if constant else shift), 1.0 if constant else float(scale), log)


def one_hot(name: str, column: Array, limit: int, where: str) -> OneHot:
    """Returns the encoding of a column of categories.

    Args:
        name: The column's name.
        column: The values, with shape (N,).
        limit: The largest number of categories.
        where: The file, for messages.

    Raises:
        DataError: If there are more categories.
    """
    categories = tuple(np.unique(column.astype(str)).tolist())
    if len(categories) > limit:
        cure = "Leave the column out by the option columns, or raise max_categories"
        raise DataError(f"{where}: the column {name!r} holds {len(categories)} categories, more than {limit}. {cure}.")
    return OneHot(tuple(f"{name}={category}" for category in categories), categories)
