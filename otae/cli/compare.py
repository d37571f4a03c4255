"""`otae compare`: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .console import errors, results

if TYPE_CHECKING:
    from ..study.comparison import Comparison

Metrics = Annotated[
    list[str],
    typer.Option(
        "--metrics",
        "-m",
        help="Only these figures: a metric for its headline, metric.figure, or a pattern such as 'dci.*'. Repeatable.",
    ),
]


def compare(
    runs: Annotated[list[Path], typer.Argument(help="The runs' folders, or folders that hold runs.")],
    format: Annotated[
        Literal["table", "markdown", "latex", "csv", "json"], typer.Option("--format", "-f", help="How to print it.")
    ] = "table",
    metrics: Metrics = [],  # noqa: B006 - typer copies it
    split: Annotated[
        str | None, typer.Option("--split", help="The split; the test split if left out, where all have it.")
    ] = None,
) -> None:
    """Show runs side by side: what differs in their configurations, and every metric's headline.

    Runs that differ in seed alone are one row: mean ± standard deviation. A star marks what differs significantly from the best.

    [bold]otae compare runs/gwae-* runs/vae-*[/]
    [bold]otae compare runs/* --format latex --metrics reconstruction --metrics frechet[/]
    """
    from ..study import compare_runs

    wanted = [name for each in metrics for name in each.split(",") if name]
    show(compare_runs(runs, wanted or None, split=split), format)


def show(comparison: Comparison, format: Literal["table", "markdown", "latex", "csv", "json"] = "table") -> None:
    """Prints a comparison.

    Args:
        comparison: The comparison.
        format: The format.
    """
    from ..study.formats import write_comparison

    if format == "table":
        from .comparison import warnings_of, write_table

        results().print(*warnings_of(comparison), write_table(comparison), sep="\n")
        return
    print(write_comparison(comparison, format), end="")
    if format == "csv":
        for note in comparison.notes:
            errors().print(f"Note: {note}", markup=False, highlight=False, soft_wrap=True)
