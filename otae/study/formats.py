"""A comparison as text: Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Literal

from .comparison import Cell, Comparison
from .frame import to_frame
from .wording import arrow, legend, write_cell

Format = Literal["table", "markdown", "latex", "csv", "json"]

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "×": r"$\times$", "–": "--", "…": r"\dots{}",
    "↓": r"$\downarrow$", "↑": r"$\uparrow$", "é": r"\'e", "²": r"$^2$",
}  # fmt: skip


def write_comparison(comparison: Comparison, format: Literal["markdown", "latex", "csv", "json"]) -> str:
    """Returns a comparison as text.

    Args:
        comparison: The comparison.
        format: The format.
    """
    return _WRITERS[format](comparison)


def heads(comparison: Comparison) -> list[str]:
    """Returns the head of each column: the variant, the options that differ, the seeds, and the figures.

    Args:
        comparison: The comparison.
    """
    figures = [f"{column.figure.title} {arrow(column.figure.better)}".strip() for column in comparison.columns]
    return ["variant", *comparison.labels.values(), "seeds", *figures]


def settings(comparison: Comparison, place: int) -> list[str]:
    """Returns what stands before the figures of a variant: its title, its options, the number of its seeds.

    Args:
        comparison: The comparison.
        place: The variant's place.
    """
    variant = comparison.variants[place]
    return [
        variant.title,
        *(variant.settings.get(path, "–") for path in comparison.labels),
        str(len(variant.seeds)),
    ]


def _markdown(comparison: Comparison) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cells)} |"

    def escaped(text: str) -> str:
        return re.sub(r"([|*_`\[\]])", r"\\\1", text)

    def figure(cell: Cell | None) -> str:
        text = escaped(write_cell(cell))
        return f"**{text}**" if cell and cell.best else text

    head = heads(comparison)
    rule = ["---"] * (len(comparison.labels) + 1) + ["---:"] * (len(comparison.columns) + 1)
    rows = [
        line([*map(escaped, settings(comparison, place)), *map(figure, cells)])
        for place, cells in enumerate(comparison.cells)
    ]
    notes = [line for note in comparison.notes for line in (f"> **Note**: {escaped(note)}", "")]
    return "\n".join([*notes, line(list(map(escaped, head))), line(rule), *rows, "", escaped(legend()), ""])


def _latex(comparison: Comparison) -> str:
    def escaped(text: str) -> str:
        return "".join(_LATEX.get(letter, letter) for letter in text)

    def figure(cell: Cell | None) -> str:
        text = escaped(write_cell(cell).removesuffix(" *"))
        text = f"\\textbf{{{text}}}" if cell and cell.best else text
        return f"{text}$^*$" if cell and cell.differs else text

    def line(cells: Sequence[str]) -> str:
        return f"  {' & '.join(cells)} \\\\"

    columns = "l" * (len(comparison.labels) + 1) + "r" * (len(comparison.columns) + 1)
    rows = [
        line([*map(escaped, settings(comparison, place)), *map(figure, cells)])
        for place, cells in enumerate(comparison.cells)
    ]
    return "\n".join(
        [
            *(f"% Note: {note}" for note in comparison.notes),
            f"% {legend()}",
            f"\\begin{{tabular}}{{{columns}}}",
            "  \\toprule",
            line(list(map(escaped, heads(comparison)))),
            "  \\midrule",
            *rows,
            "  \\bottomrule",
            "\\end{tabular}",
            "",
        ]
    )


def _csv(comparison: Comparison) -> str:
    frame = to_frame(comparison)
    frame.columns = [".".join(levels) for levels in frame.columns]
    return str(frame.to_csv())


def _json(comparison: Comparison) -> str:
    return json.dumps(to_values(comparison), indent=2, ensure_ascii=False) + "\n"


def to_values(comparison: Comparison) -> dict[str, Any]:
    """Returns a comparison as plain dicts, lists, numbers and text.

    Args:
        comparison: The comparison.
    """
    return {
        "notes": list(comparison.notes),
        "split": comparison.split,
        "figures": {column.key: asdict(column.figure) for column in comparison.columns},
        "variants": [
            {
                "title": variant.title,
                "configuration": dict(variant.settings),
                "runs": [str(entry.path) for entry in variant.entries],
                "rank": comparison.ranks[place],
                "figures": {
                    column.key: {
                        **asdict(cell.spread),
                        "best": cell.best,
                        "p": cell.p,
                        "rank": cell.rank,
                        "seeds": dict(variant.values(comparison.split, column.metric, column.name)),
                    }
                    for column, cell in zip(comparison.columns, comparison.cells[place], strict=True)
                    if cell is not None
                },
            }
            for place, variant in enumerate(comparison.variants)
        ],
    }


_WRITERS: dict[str, Callable[[Comparison], str]] = {
    "markdown": _markdown,
    "latex": _latex,
    "csv": _csv,
    "json": _json,
}
