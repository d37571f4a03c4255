"""What metrics return: numbers with intervals, tables, reasons why a figure is missing, and what each figure means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

from torch import Tensor

Better: TypeAlias = Literal["lower", "higher", "none"]


@dataclass(frozen=True)
class Figure:
    """Describes one figure of a metric, for tables, tiles and reports.

    Args:
        title: A readable name, such as `reconstruction error, of PCA's`.
        definition: What it is, in one line.
        better: Whether a lower or a higher value is better, or `none` where neither is.
        best: The best value that it can take, or `None` where there is none.

    Raises:
        ValueError: If `better` is none of these words.
    """

    title: str
    definition: str
    better: Better = "none"
    best: float | None = None

    def __post_init__(self) -> None:
        if self.better not in ("lower", "higher", "none"):
            raise ValueError(f"The figure {self.title!r} has better={self.better!r}. Allowed: lower, higher, none.")


class Estimate(float):
    """Holds a figure with an interval: a number like any other, which knows how uncertain it is.

    Args:
        value: The figure.
        low: The lower end of its 95 % interval.
        high: The upper end.

    Examples:
        >>> accuracy = Estimate(0.8, 0.75, 0.84)
        >>> accuracy + 0.1, accuracy.low
        (0.9, 0.75)
    """

    low: float
    high: float

    def __new__(cls, value: float, low: float, high: float) -> Self:
        estimate = super().__new__(cls, value)
        estimate.low, estimate.high = float(low), float(high)
        return estimate

    def __reduce__(self) -> tuple[type[Estimate], tuple[float, float, float]]:
        return type(self), (float(self), self.low, self.high)


@dataclass(frozen=True)
class Missing:
    """Holds the reason why a figure is left out, such as a baseline that is perfect.

    Args:
        reason: The reason, one sentence.
    """

    reason: str


@dataclass(frozen=True, eq=False)
class Table:
    """Holds a matrix that a report shows as a picture, such as the importance of each code for each factor.

    Args:
        values: The numbers, with shape (R, C).
        rows: A name for each row.
        columns: A name for each column.
        title: What it shows.

    Raises:
        ValueError: If the names do not fit the numbers.
    """

    values: Tensor
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    title: str

    def __post_init__(self) -> None:
        if tuple(self.values.shape) != (len(self.rows), len(self.columns)):
            raise ValueError(
                f"The table {self.title!r} has shape {tuple(self.values.shape)}, {len(self.rows)} names of rows and "
                f"{len(self.columns)} of columns: give one name for each."
            )


FigureValue: TypeAlias = float | Estimate | Missing | Table
