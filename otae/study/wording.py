"""Numbers of a comparison in words."""

from __future__ import annotations

import math

from .comparison import Cell
from .statistics import Spread

_ARROWS = {"lower": "↓", "higher": "↑", "none": ""}


def write_spread(spread: Spread, *, interval: bool = False) -> str:
    """Returns a mean and how it spreads, with as many decimals as the spread asks for.

    Args:
        spread: The mean and its spread.
        interval: Whether to tell the half-width of the 95 % interval of the mean instead of the standard deviation.

    Examples:
        >>> write_spread(Spread.of([0.5123, 0.5317, 0.4961]))
        '0.513 ± 0.018'
        >>> write_spread(Spread.of([1234.5]))
        '1234'
    """
    around = (spread.high - spread.low) / 2 if interval else spread.sd
    if spread.count == 1 or around == 0:
        return _rounded(spread.mean, 2 - _magnitude(spread.mean))
    decimals = max(1 - _magnitude(around), 2 - _magnitude(spread.mean))
    return f"{_rounded(spread.mean, decimals)} ± {_rounded(around, decimals)}"


def write_cell(cell: Cell | None, *, interval: bool = False) -> str:
    """Returns a cell of a comparison; a star marks a significant difference from the best.

    Args:
        cell: The cell.
        interval: Whether to tell the 95 % interval instead of the standard deviation.
    """
    if cell is None:
        return "–"
    return write_spread(cell.spread, interval=interval) + (" *" if cell.differs else "")


def arrow(better: str) -> str:
    """Returns an arrow that points to better values.

    Args:
        better: `lower`, `higher` or `none`.
    """
    return _ARROWS[better]


def legend(*, interval: bool = False) -> str:
    """Returns how to read a table of cells.

    Args:
        interval: Whether it tells the 95 % interval instead of the standard deviation.
    """
    spread = "its 95 % interval" if interval else "standard deviation"
    return (
        f"Mean ± {spread} over seeds; bold: the best; *: differs from the best (p < 0.05, t-test paired over seeds, "
        "Holm's correction)."
    )


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _rounded(value: float, decimals: int) -> str:
    return f"{value:.2e}" if decimals > 6 else f"{value:.{max(0, decimals)}f}"
