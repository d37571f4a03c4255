"""The table that ends a training: the evaluation's figures, by split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from ..run import Run


def summary(run: Run) -> Table:
    """Returns the evaluation as a table: a row for each figure, a column for each split.

    Args:
        run: An evaluated run.
    """
    splits = run.metrics
    table = Table(
        "metric", "figure", *splits, title=f"{run.experiment.title}", title_justify="left", header_style="bold"
    )
    rows = dict.fromkeys(
        (metric, figure) for judged in splits.values() for metric in judged for figure in judged[metric]
    )
    previous = None
    for metric, figure in rows:
        cells = [judged.get(metric, {}).get(figure) for judged in splits.values()]
        told = ["" if value is None else f"{value:.4g}" for value in cells]
        table.add_row(metric if metric != previous else "", figure, *told)
        previous = metric
    return table
