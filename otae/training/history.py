"""The history of a run: every term at every step, as CSV that a resumed run continues."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger

from ..errors import RunError
from ..files import write_text

BUFFER = 100


class History(Logger):
    """Appends rows to a CSV file: step, split, and a column for each value.

    Args:
        path: The CSV file.
        columns: The names of the values.
        count: The number of rows to keep of those that are there; the others will be written again.
    """

    def __init__(self, path: Path, columns: Sequence[str], count: int = 0) -> None:
        super().__init__()
        self.path, self.columns, self.count = path, ["step", "split", *columns], count
        self._rows: list[dict[str, Any]] = []
        _keep(path, ",".join(self.columns), count)

    @property
    def name(self) -> str:
        return "metrics"

    @property
    def version(self) -> str:
        return ""

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: the configuration is a file of its own."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Keeps a row; rows are written by the hundred, and before every checkpoint.

        Args:
            metrics: The values, named `split/name`, of one split.
            step: The number of main steps done.
        """
        split = next(iter(metrics)).partition("/")[0]
        self._rows.append({"step": step, "split": split} | {name.partition("/")[2]: v for name, v in metrics.items()})
        if len(self._rows) >= BUFFER:
            self.save()

    def save(self) -> None:
        """Writes the rows that were kept."""
        self.count += len(self._rows)
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns, lineterminator="\n").writerows(self._rows)
        self._rows = []

    def finalize(self, status: str) -> None:
        self.save()


def _keep(path: Path, header: str, count: int) -> None:
    rows = path.read_text(encoding="utf-8", errors="replace").splitlines()[1 : count + 1] if count else []
    whole = [row for row in rows if row.count(",") == header.count(",")]
    if len(whole) < count:
        raise RunError(
            f"{path} is corrupt: the checkpoint counts {count} rows, and there are {len(whole)}. Restore it from a copy, "
            "or remove the run's checkpoints to start from the beginning."
        )
    write_text(path, "\n".join([header, *whole]) + "\n")


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
