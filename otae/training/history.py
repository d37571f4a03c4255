"""The history of a run: every term at every step, as CSV that a resumed run continues."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger

from ..files import write_text


class History(Logger):
    """Creates a logger that appends rows to a CSV file: step, split, and a column for each value.

    Args:
        path: The CSV file.
        columns: The names of the values.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        super().__init__()
        self.path, self.columns = path, ["step", "split", *columns]
        self._rows: list[dict[str, Any]] = []
        if not path.exists():
            write_text(path, ",".join(self.columns) + "\n")

    @property
    def name(self) -> str:
        return "metrics"

    @property
    def version(self) -> str:
        return ""

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: the configuration is a file of its own."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Keeps a row; rows are written by the hundred, and at every validation.

        Args:
            metrics: The values, named `split/name`, of one split.
            step: The number of main steps done.
        """
        split = next(iter(metrics)).partition("/")[0]
        self._rows.append({"step": step, "split": split} | {name.partition("/")[2]: v for name, v in metrics.items()})
        if split == "validation" or len(self._rows) >= 100:
            self.save()

    def save(self) -> None:
        """Writes the rows that were kept."""
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns, lineterminator="\n").writerows(self._rows)
        self._rows = []

    def finalize(self, status: str) -> None:
        self.save()


def cut(path: Path, step: int) -> None:
    """Removes the rows after a step, which a resumed run will write again.

    Args:
        path: The CSV file.
        step: The last step to keep.
    """
    if not path.exists():
        return
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    kept = [row for row in rows if row.count(",") == header.count(",") and int(row.partition(",")[0]) <= step]
    write_text(path, "\n".join([header, *kept]) + "\n")


def read(path: Path) -> dict[str, dict[str, list[float]]]:
    """Returns the history as columns, by split; a column that a split never fills is left out.

    Args:
        path: The CSV file.
    """
    splits: dict[str, dict[str, list[float]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            columns = splits.setdefault(row.pop("split"), {})
            for name, value in row.items():
                if value:
                    columns.setdefault(name, []).append(float(value))
    return splits
