"""A comparison as a DataFrame."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from .comparison import Cell, Comparison

_STATISTICS = ("mean", "sd", "low", "high", "best", "p", "rank")


def to_frame(comparison: Comparison) -> pd.DataFrame:
    """Returns a comparison as a DataFrame: a row for each variant; the columns have two levels.

    Under `configuration` stand the options that differ, under `runs` the number of seeds and the mean rank over all figures, and
    under each figure, such as `reconstruction.ratio`, its `mean`, `sd`, `low` and `high` (the 95 % interval of the mean),
    whether it is `best`, the `p`-value of its difference from the best, and its mean `rank` over seeds. `attrs` holds the
    notes, the split, and what each figure is.

    Args:
        comparison: The comparison.
    """
    rows = [_row(comparison, place) for place in range(len(comparison.variants))]
    index = pd.Index([variant.title for variant in comparison.variants], name="variant")
    frame = pd.DataFrame(rows, index=index, columns=pd.MultiIndex.from_tuples(list(rows[0]) if rows else []))
    frame.attrs = {
        "notes": list(comparison.notes),
        "split": comparison.split,
        "figures": {column.key: asdict(column.figure) for column in comparison.columns},
    }
    return frame


def _row(comparison: Comparison, place: int) -> dict[tuple[str, str], Any]:
    variant = comparison.variants[place]
    row: dict[tuple[str, str], Any] = {
        ("configuration", path): variant.settings.get(path, "–") for path in comparison.labels
    }
    row["runs", "seeds"] = len(variant.seeds)
    row["runs", "rank"] = comparison.ranks[place]
    for column, cell in zip(comparison.columns, comparison.cells[place], strict=True):
        row |= {(column.key, name): _statistic(cell, name) for name in _STATISTICS}
    return row


def _statistic(cell: Cell | None, name: str) -> Any:
    if name == "best":
        return cell is not None and cell.best
    if cell is None:
        return None
    return getattr(cell, name) if name in ("p", "rank") else getattr(cell.spread, name)
