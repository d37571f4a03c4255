"""The factors that generated a dataset: a table of their values, and what kind of quantity each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

import torch
from torch import Tensor

FactorKind: TypeAlias = Literal["categorical", "ordered", "circular"]
_KINDS: tuple[FactorKind, ...] = ("categorical", "ordered", "circular")
_ROUNDING = 1e-6  # of values in single precision, such as 2π


@dataclass(frozen=True)
class Factor:
    """Describes one factor of variation.

    Args:
        name: Its name, such as `rotation`.
        kind: `categorical` where its values have no order, `ordered` where they have one, `circular` where the order
            closes on itself, such as an angle or a hue.
        values: Every value that it may take, ascending; `None` where it may take any value of an interval.
        period: The length of a circular factor's circle, such as 2π; `None` for the other kinds.
        labels: A name for each value of a categorical factor, or `None`.

    Raises:
        ValueError: If the kind is unknown, a circular factor lacks a positive period, its values do not ascend or leave
            the circle, or there are labels for other values than it has.

    Examples:
        >>> Factor("hue", "circular", period=1.0).kind
        'circular'
    """

    name: str
    kind: FactorKind = "ordered"
    values: tuple[float, ...] | None = None
    period: float | None = None
    labels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"The factor {self.name!r} has kind {self.kind!r}. Allowed: {', '.join(_KINDS)}.")
        if (self.kind == "circular") != (self.period is not None and self.period > 0):
            raise ValueError(
                f"The factor {self.name!r} is {self.kind} with period {self.period}: a circular factor needs a positive "
                "period, and no other kind has one."
            )
        values = self.values or ()
        if self.values == () or any(not low < high for low, high in pairwise(values)):
            raise ValueError(f"The values of the factor {self.name!r} must ascend, at least one, not {_few(values)}.")
        if self.period is not None and not all(-_ROUNDING <= value / self.period <= 1 + _ROUNDING for value in values):
            raise ValueError(
                f"The circular factor {self.name!r} takes values in [0, {self.period:g}], not {_few(values)}."
            )
        if self.labels is not None and (self.values is None or len(self.labels) != len(self.values)):
            raise ValueError(f"The factor {self.name!r} has {len(self.labels)} labels, but {len(values)} values.")


@dataclass(frozen=True, eq=False)
class Factors:
    """Holds the factors of samples: one row a sample, one column a factor.

    Args:
        table: The values, whole or real numbers, with shape (N, F).
        kinds: What each column is, F in all.

    Raises:
        ValueError: If the table is no matrix of finite numbers, has another number of columns than there are kinds, or
            two of these have one name.

    Examples:
        >>> factors = Factors(torch.tensor([[0, 10], [1, 30]]), (Factor("shape", "categorical"), Factor("size")))
        >>> factors.names, factors[[1]].table
        (('shape', 'size'), tensor([[ 1, 30]]))
    """

    table: Tensor
    kinds: tuple[Factor, ...]

    def __post_init__(self) -> None:
        if self.table.ndim != 2 or self.table.shape[1] != len(self.kinds) or not self.kinds:
            raise ValueError(
                f"Factors have a table of shape (N, F) and a Factor for each column, got a table of shape "
                f"{tuple(self.table.shape)} and {len(self.kinds)} of them."
            )
        if not bool(torch.isfinite(self.table).all()):
            raise ValueError("Factors are finite numbers: leave out samples whose factors are not known.")
        if len(set(self.names)) < len(self.kinds):
            raise ValueError(f"Factors need different names, not {', '.join(self.names)}.")

    def __len__(self) -> int:
        """Returns the number of samples."""
        return len(self.table)

    def __getitem__(self, indices: Sequence[int] | Tensor) -> Factors:
        """Returns the factors of some samples.

        Args:
            indices: The samples' indices, or a mask.
        """
        return Factors(self.table[indices], self.kinds)

    @property
    def names(self) -> tuple[str, ...]:
        """Returns the name of each factor."""
        return tuple(kind.name for kind in self.kinds)

    def column(self, name: str) -> Tensor:
        """Returns the values of one factor, with shape (N,).

        Args:
            name: The factor's name.
        """
        return self.table[:, self.names.index(name)]

    def bins(self, count: int = 10) -> Tensor:
        """Returns each factor as classes, with shape (N, F): its distinct values where these are `count` at most or
        categorical, else bins of equal width over the values that occur (over the whole circle where it is circular).

        Args:
            count: The number of bins.
        """
        return torch.stack([_bin(self.table[:, i], kind, count) for i, kind in enumerate(self.kinds)], dim=1)


def _few(values: Sequence[float]) -> str:
    told = ", ".join(f"{value:g}" for value in values[:6])
    return f"{told}, …" if len(values) > 6 else told or "none"


def _bin(values: Tensor, kind: Factor, count: int) -> Tensor:
    distinct: Tensor
    classes: Tensor
    distinct, classes = torch.unique(values, return_inverse=True)
    if kind.kind == "categorical" or len(distinct) <= count:
        return classes
    low, width = (distinct[0], distinct[-1] - distinct[0]) if kind.period is None else (0.0, kind.period)
    shares = (values.double() - low) / width
    if kind.period is not None:
        shares = shares.remainder(1.0)
    return (shares * count).long().clamp(0, count - 1)
