"""Variants side by side: every figure's mean over seeds, the best of it, and what differs significantly from the best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from ..differences import differences, short_paths
from ..errors import ConfigError, RunError, near_match
from ..interfaces import Figure
from .entries import Entry, Variant
from .statistics import Spread, adjust, compare_pairs, mean_ranks

#: The p-value below which a difference is marked
LEVEL = 0.05


@dataclass(frozen=True)
class Column:
    """Holds a figure that is compared.

    Args:
        metric: The metric.
        name: The figure's name.
        figure: What it is.
    """

    metric: str
    name: str
    figure: Figure

    @property
    def key(self) -> str:
        """Returns the metric and the figure as one word."""
        return f"{self.metric}.{self.name}"


@dataclass(frozen=True)
class Cell:
    """Holds a figure of a variant.

    Args:
        spread: Its mean over seeds, and how it spreads.
        best: Whether it is the best among the variants of the same data.
        p: The p-value of its difference from the best, paired over seeds and adjusted for the number of variants; `None`
            for the best itself, and where fewer than two seeds are shared.
        rank: The mean rank over seeds among the variants of the same data, 1 for the best; `None` where there is none.
    """

    spread: Spread
    best: bool = False
    p: float | None = None
    rank: float | None = None

    @property
    def differs(self) -> bool:
        """Returns whether it differs significantly from the best."""
        return self.p is not None and self.p < LEVEL


@dataclass(frozen=True)
class Comparison:
    """Holds variants side by side.

    Args:
        variants: The variants.
        columns: The figures.
        split: The split that was judged.
    """

    variants: Sequence[Variant]
    columns: Sequence[Column]
    split: str

    @cached_property
    def labels(self) -> dict[str, str]:
        """Returns a short label for each option in which the variants differ, by dotted path."""
        return short_paths(dict.fromkeys(path for variant in self.variants for path in variant.settings))

    @cached_property
    def groups(self) -> list[list[int]]:
        """Returns the places of the variants of the same data, by data."""
        groups: dict[str, list[int]] = {}
        for place, variant in enumerate(self.variants):
            groups.setdefault(variant.data, []).append(place)
        return list(groups.values())

    @cached_property
    def cells(self) -> list[list[Cell | None]]:
        """Returns the figures: for each variant, one for each column, `None` where it has none."""
        columns = [self._cells(column) for column in self.columns]
        return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in self.variants]

    @cached_property
    def ranks(self) -> list[float | None]:
        """Returns each variant's mean rank over all figures, 1 where it is the best of all in every one."""
        known = [[cell.rank for cell in row if cell and cell.rank is not None] for row in self.cells]
        return [sum(each) / len(each) if each else None for each in known]

    @cached_property
    def notes(self) -> list[str]:
        """Returns what a reader must know first: different data, different evaluations, failed metrics."""
        return [*self._data_note(), *self._protocol_note(), *self._failures()]

    def _cells(self, column: Column) -> list[Cell | None]:
        values = [variant.values(self.split, column.metric, column.name) for variant in self.variants]
        cells = [Cell(Spread.of(list(each.values()))) if each else None for each in values]
        if column.figure.better == "none":
            return cells
        sign = 1 if column.figure.better == "lower" else -1
        for places in self.groups:
            present = {place: cell for place in places if (cell := cells[place]) is not None}
            if len(present) < 2:
                continue
            best = min(present, key=lambda place: sign * present[place].spread.mean)
            others = [place for place in present if place != best]
            p_values = adjust([compare_pairs(values[best], values[place]) for place in others])
            ranks = mean_ranks([values[place] for place in present], column.figure.better)
            tested = dict(zip(others, p_values, strict=True))
            for (place, cell), rank in zip(present.items(), ranks, strict=True):
                level = cell.spread.mean == present[best].spread.mean
                cells[place] = Cell(cell.spread, level, tested.get(place), rank)
        return cells

    def _data_note(self) -> list[str]:
        if len(self.groups) < 2:
            return []
        firsts = [self.variants[places[0]] for places in self.groups]
        changed = differences([{"data": each.config.get("data", {})} for each in firsts])
        told = [
            f"{path}: {', '.join(dict.fromkeys(values))}"
            for path, values in changed.items()
            if "batch_size" not in path
        ]
        note = f"The runs are of different data ({'; '.join(told)}): figures are comparable, and the best is marked, "
        return [f"{note}only among runs of the same data."]

    def _protocol_note(self) -> list[str]:
        told: dict[str, None] = {}  # an ordered set
        for places in self.groups:
            entries = [entry for place in places for entry in self.variants[place].entries]
            asked = [_protocol(entry, self.split) for entry in entries]
            told |= {f"{key}: {', '.join(dict.fromkeys(each))}": None for key, each in differences(asked, ()).items()}
        if not told:
            return []
        return [f"The runs were judged differently ({'; '.join(told)}). Judge them alike with `otae evaluate RUN`."]

    def _failures(self) -> list[str]:
        failed = {
            (metric, reason): entry.path
            for variant in self.variants
            for entry in variant.entries
            for metric, reason in entry.evaluation.failed.items()
        }
        return [f"The metric {metric} failed in {path}: {reason}" for (metric, reason), path in failed.items()]


def _protocol(entry: Entry, split: str) -> dict[str, Any]:
    protocol = entry.evaluation.protocol
    return {"generations": protocol.get("samples"), "samples": protocol.get("held", {}).get(split)}


def build_comparison(
    variants: Sequence[Variant], metrics: Iterable[str] | None = None, split: str | None = None
) -> Comparison:
    """Returns variants side by side.

    Args:
        variants: The variants.
        metrics: The figures: a metric for its headline, `metric.figure`, or a pattern such as `reconstruction.*`; the
            headline of every metric where `None`.
        split: The split; `test` where all runs were judged on it, else the first that all have, where `None`.

    Raises:
        ConfigError: If no run has such a figure.
        RunError: If the runs share no split.
    """
    chosen = _split(variants, split)
    known = _columns(variants, chosen)
    headlines = [column for column, headline in known.values() if headline]
    if metrics is None:
        return Comparison(variants, headlines, chosen)
    columns = [column for pattern in metrics for column in _matching(pattern, known)]
    return Comparison(variants, list(dict.fromkeys(columns)), chosen)


def _split(variants: Sequence[Variant], split: str | None) -> str:
    judged = [entry.evaluation for variant in variants for entry in variant.entries]
    shared = [name for name in (judged[0] if judged else ()) if all(name in each for each in judged)]
    if split is None and not shared:
        raise RunError("There is no split on which all these runs were judged. Judge them with `otae evaluate RUN`.")
    if split is not None and split not in shared:
        raise ConfigError(f"Not all runs were judged on the split {split!r}. On all: {', '.join(shared) or 'none'}.")
    return split or ("test" if "test" in shared else shared[0])


def _columns(variants: Sequence[Variant], split: str) -> dict[str, tuple[Column, bool]]:
    """Returns every figure, by key, and whether it is a headline."""
    found: dict[str, tuple[Column, bool]] = {}
    for variant in variants:
        for entry in variant.entries:
            for metric, figures in entry.evaluation[split].items():
                for name in figures:
                    column = Column(metric, name, entry.evaluation.describe(metric, name))
                    found.setdefault(column.key, (column, name == entry.evaluation.headline(metric)))
    return found


def _matching(pattern: str, known: dict[str, tuple[Column, bool]]) -> list[Column]:
    found = [
        column
        for key, (column, headline) in known.items()
        if key == pattern or (column.metric == pattern and headline) or fnmatchcase(key, pattern)
    ]
    if not found:
        names = sorted({column.metric for column, _ in known.values()} | set(known))
        raise ConfigError(
            f"No run has the figure {pattern!r}. There are: {', '.join(known)}.{near_match(pattern, names)}"
        )
    return found
