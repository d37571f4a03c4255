"""The table of a comparison for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..study.wording import arrow, legend, write_cell

if TYPE_CHECKING:
    from ..study.comparison import Cell, Comparison


def warnings_of(comparison: Comparison) -> list[Text]:
    """Returns what a reader must know first, one line each.

    Args:
        comparison: The comparison.
    """
    return [Text(f"Warning: {note}", style="yellow") for note in comparison.notes]


def write_table(comparison: Comparison) -> Table:
    """Returns a comparison as a table: a column for each variant, and a row for each option and each figure.

    Where there are more variants than figures, the variants are the rows.

    Args:
        comparison: The comparison.
    """
    lines = _lines(comparison)
    if len(comparison.variants) > len(comparison.columns) + len(comparison.labels):
        lines = [list(line) for line in zip(*lines, strict=True)]
    table = Table(
        *lines[0], header_style="bold", caption=f"{legend()} Split: {comparison.split}.", caption_justify="left"
    )
    for line in lines[1:]:
        table.add_row(*line)
    return table


def _lines(comparison: Comparison) -> list[list[str]]:
    variants = comparison.variants
    figures = [
        [
            f"{escape(column.figure.title)} {arrow(column.figure.better)}".strip(),
            *(_figure(row[number]) for row in comparison.cells),
        ]
        for number, column in enumerate(comparison.columns)
    ]
    ranks = ["" if rank is None else f"{rank:.1f}" for rank in comparison.ranks]
    return [
        ["", *(escape(variant.title) for variant in variants)],
        *(
            [label, *(escape(variant.settings.get(path, "–")) for variant in variants)]
            for path, label in comparison.labels.items()
        ),
        ["seeds", *(", ".join(map(str, variant.seeds)) for variant in variants)],
        *figures,
        *([["mean rank", *ranks]] if any(ranks) else []),
    ]


def _figure(cell: Cell | None) -> str:
    text = escape(write_cell(cell))
    return f"[bold green]{text}[/]" if cell and cell.best else text
