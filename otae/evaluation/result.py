"""The result of an evaluation: figures by split and metric, and all that explains them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from ..errors import RunError
from ..files import read_json, write_json
from ..interfaces import Figure, Table
from ..notebook import to_table

Figures = dict[str, dict[str, float]]

EVALUATION = "evaluation.json"
"""The file of a run's evaluation."""


@dataclass(frozen=True)
class Description:
    """Describes a metric, as it described itself when it was used.

    Args:
        headline: The name of the figure that stands for it.
        figures: What its figures are, by name.
    """

    headline: str
    figures: dict[str, Figure]


@dataclass(eq=False)
class Evaluation(Mapping[str, Figures]):
    """Holds the result of an evaluation; as a mapping it gives the figures, by split, metric and name.

    Args:
        figures: The figures, by split, metric and name.
        intervals: The 95 % interval of each figure that has one, likewise.
        missing: The reason why a figure is left out, likewise.
        tables: The tables that metrics returned, likewise.
        skipped: The reason why a metric that nobody asked for was not used, by metric.
        failed: What went wrong in a metric, and where, by metric.
        descriptions: What each metric's figures are, by metric.
        protocol: How it was done: the seed, the sizes of the splits, the number of generations, each metric's seconds.

    Examples:
        >>> otae.evaluate("runs/gwae")["test"]["reconstruction"]["ratio"]  # doctest: +SKIP
        0.61
    """

    figures: dict[str, Figures] = field(default_factory=dict)
    intervals: dict[str, dict[str, dict[str, tuple[float, float]]]] = field(default_factory=dict)
    missing: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    tables: dict[str, dict[str, dict[str, Table]]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, Description] = field(default_factory=dict)
    protocol: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, split: str) -> Figures:
        return self.figures[split]

    def __iter__(self) -> Iterator[str]:
        return iter(self.figures)

    def __len__(self) -> int:
        return len(self.figures)

    def describe(self, metric: str, name: str) -> Figure:
        """Returns what a figure is; one that its metric did not describe is called by its name.

        Args:
            metric: The metric.
            name: The figure's name.
        """
        described = self.descriptions.get(metric)
        known = described.figures.get(name) if described else None
        return known or Figure(f"{metric}: {name.replace('_', ' ')}", "")

    def headline(self, metric: str) -> str | None:
        """Returns the name of a metric's headline figure, or `None` where it was not used.

        Args:
            metric: The metric.
        """
        described = self.descriptions.get(metric)
        return described.headline if described else None

    def write(self, folder: Path) -> None:
        """Writes the result to a run's `evaluation.json`.

        Args:
            folder: The run's folder.
        """
        write_json(folder / EVALUATION, self.to_dict())

    def _repr_html_(self) -> str:
        """Returns the figures with their 95 % intervals, a column for each split, as a table for notebooks."""
        rows = dict.fromkeys((metric, name) for found in self.values() for metric in found for name in found[metric])
        cells = [(metric, name, *(self._show(split, metric, name) for split in self)) for metric, name in rows]
        return to_table(("metric", "figure", *self), cells)

    def _show(self, split: str, metric: str, name: str) -> str:
        value = self[split].get(metric, {}).get(name)
        interval = self.intervals.get(split, {}).get(metric, {}).get(name)
        told = f" ({interval[0]:.3g} to {interval[1]:.3g})" if interval else ""
        return "" if value is None else f"{value:.4g}{told}"

    def to_dict(self) -> dict[str, Any]:
        """Returns the result as plain dicts, lists, numbers and text."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values["tables"] = {
            split: {metric: {name: _plain(table) for name, table in found.items()} for metric, found in tables.items()}
            for split, tables in self.tables.items()
        }
        values["descriptions"] = {metric: asdict(description) for metric, description in self.descriptions.items()}
        return values

    @classmethod
    def read(cls, folder: Path) -> Evaluation:
        """Returns the result that a run's folder keeps.

        Args:
            folder: The run's folder.

        Raises:
            RunError: If there is none, or it is corrupt.
        """
        path = folder / EVALUATION
        if not path.is_file():
            raise RunError(f"The run {folder} was not evaluated. Evaluate it: `otae evaluate {folder}`.")
        try:
            return cls._from_dict(read_json(path))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"{path} is corrupt ({error}). Write it again: `otae evaluate {folder}`.") from error

    @classmethod
    def _from_dict(cls, values: dict[str, Any]) -> Evaluation:
        tables = {
            split: {metric: {name: _table(table) for name, table in found.items()} for metric, found in tables.items()}
            for split, tables in values["tables"].items()
        }
        descriptions = {
            metric: Description(each["headline"], {name: Figure(**figure) for name, figure in each["figures"].items()})
            for metric, each in values["descriptions"].items()
        }
        return cls(**{**values, "tables": tables, "descriptions": descriptions})


def _plain(table: Table) -> dict[str, Any]:
    numbers = table.values.double().tolist()
    return {"title": table.title, "rows": list(table.rows), "columns": list(table.columns), "values": numbers}


def _table(values: dict[str, Any]) -> Table:
    numbers = torch.tensor(values["values"], dtype=torch.float64).reshape(len(values["rows"]), len(values["columns"]))
    return Table(numbers, tuple(values["rows"]), tuple(values["columns"]), values["title"])
