"""The table that ends a training: the evaluation's figures, by split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from .console import results

if TYPE_CHECKING:
    from ..evaluation import Evaluation
    from ..run import Run

_ARROWS = {"lower": "↓", "higher": "↑", "none": ""}


def print_summary(run: Run, *, headlines: bool = False) -> None:
    """Prints the evaluation of a run: a table, and why figures or metrics are missing.

    Args:
        run: An evaluated run.
        headlines: Whether each metric shows only the figure that stands for it.
    """
    from ..evaluation import Evaluation

    found = Evaluation.read(run.path)
    console = results()
    console.print(summary(found, run.experiment.title, headlines=headlines))
    for line in _notes(found, headlines):
        console.print(line, highlight=False, soft_wrap=True)


def summary(found: Evaluation, title: str, *, headlines: bool = False) -> Table:
    """Returns an evaluation as a table: a row for each figure, a column for each split.

    Args:
        found: The evaluation.
        title: The table's title.
        headlines: Whether each metric shows only the figure that stands for it.
    """
    table = Table("metric", "figure", "", *found, title=escape(title), title_justify="left", header_style="bold")
    previous = None
    for metric, name in _rows(found, headlines):
        figure = found.describe(metric, name)
        cells = [_cell(found, split, metric, name) for split in found]
        table.add_row(escape(metric) if metric != previous else "", escape(name), _ARROWS[figure.better], *cells)
        previous = metric
    return table


def _rows(found: Evaluation, headlines: bool) -> Iterator[tuple[str, str]]:
    rows = dict.fromkeys(
        (metric, name)
        for kind in (found.figures, found.missing)
        for judged in kind.values()
        for metric in judged
        for name in judged[metric]
    )
    shown = [(metric, name) for metric, name in rows if not headlines or name == found.headline(metric)]
    order = list(dict.fromkeys(metric for metric, _ in rows))
    return iter(sorted(shown, key=lambda row: order.index(row[0])))


def _cell(found: Evaluation, split: str, metric: str, name: str) -> str:
    value = found[split].get(metric, {}).get(name)
    if value is None:
        return "–" if name in found.missing.get(split, {}).get(metric, {}) else ""
    interval = found.intervals.get(split, {}).get(metric, {}).get(name)
    return f"{value:.4g}" if interval is None else f"{value:.4g} [dim]{interval[0]:.3g}…{interval[1]:.3g}[/]"


def _notes(found: Evaluation, headlines: bool) -> list[str]:
    arrows = "↓ lower is better, ↑ higher is better" if found.figures else ""
    reasons = {
        f"{metric}, {name}: {reason}": None
        for judged in found.missing.values()
        for metric, names in judged.items()
        for name, reason in names.items()
        if not headlines or name == found.headline(metric)
    }
    skipped = {f"{label} was skipped: {reason}": None for label, reason in found.skipped.items() if not headlines}
    failed = [f"[red]{escape(label)} failed:[/] {escape(reason)}" for label, reason in found.failed.items()]
    return [f"[dim]{escape(line)}[/]" for line in (arrows, *reasons, *skipped) if line] + failed
