"""What a comparison takes of runs: their configurations and figures; and runs that differ in seed alone, as variants."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

from ..differences import INCIDENTAL, differences, short_paths, without
from ..errors import RunError
from ..evaluation import Evaluation
from ..extending import read
from ..run import Run
from .statistics import Seeds

_NOT_DATA = ("batch_size", "workers")


@dataclass(frozen=True)
class Entry:
    """Holds what a comparison takes of a run.

    Args:
        path: The run's folder.
        title: What the run is called.
        config: Its resolved configuration, as plain values.
        evaluation: Its evaluation.
    """

    path: Path
    title: str
    config: Mapping[str, Any]
    evaluation: Evaluation

    @property
    def seed(self) -> int:
        """Returns the run's seed."""
        return int(self.config.get("seed", 0))


@dataclass(frozen=True)
class Variant:
    """Holds the runs of one configuration, which differ in seed alone.

    Args:
        title: What the configuration is called.
        entries: The runs, by seed.
        settings: What tells it from the other variants: by dotted path, in words.
    """

    title: str
    entries: tuple[Entry, ...]
    settings: Mapping[str, str]

    @property
    def config(self) -> Mapping[str, Any]:
        """Returns the configuration, of its first seed."""
        return self.entries[0].config

    @property
    def seeds(self) -> list[int]:
        """Returns the seeds, sorted."""
        return sorted({entry.seed for entry in self.entries})

    @cached_property
    def data(self) -> str:
        """Returns what identifies its data: the dataset, its options, and how it is split."""
        section = self.config.get("data", {})
        return json.dumps({key: value for key, value in section.items() if key not in _NOT_DATA}, sort_keys=True)

    def values(self, split: str, metric: str, name: str) -> Seeds:
        """Returns a figure by seed; of runs of one seed, the mean.

        Args:
            split: The split.
            metric: The metric.
            name: The figure's name.
        """
        found: dict[int, list[float]] = {}
        for entry in self.entries:
            value = entry.evaluation.figures.get(split, {}).get(metric, {}).get(name)
            if value is not None:
                found.setdefault(entry.seed, []).append(value)
        return {seed: fmean(values) for seed, values in sorted(found.items())}


def read_entry(path: Path) -> Entry:
    """Returns what a comparison takes of a run; no plugin is imported.

    Args:
        path: The run's folder.

    Raises:
        RunError: If the folder holds no run, or it was not evaluated.
        ConfigError: If its configuration cannot be read.
    """
    run = Run(path)
    title = str(run.provenance.get("title", path.name))
    return Entry(run.path, title, read(run.path / "config.yaml"), Evaluation.read(run.path))


def find_runs(paths: Iterable[str | Path | Run]) -> list[Path]:
    """Returns the folders of runs: those given, and those in a folder that is no run itself, such as a study's.

    Args:
        paths: Runs, their folders, or folders that hold runs.

    Raises:
        RunError: If a folder neither is a run nor holds any.
    """
    found: list[Path] = []
    for each in paths:
        path = each.path if isinstance(each, Run) else Path(each).expanduser()
        inside = sorted(config.parent for pattern in ("*", "runs/*") for config in path.glob(f"{pattern}/config.yaml"))
        if (path / "config.yaml").is_file():
            found.append(path)
        elif inside:
            found += [run for run in inside if (run / "evaluation.json").is_file()]
        else:
            raise RunError(f"{path} holds no run: there is no config.yaml in it. Give folders that `otae train` wrote.")
    return list(dict.fromkeys(found))


def group(entries: Sequence[Entry]) -> list[Variant]:
    """Returns runs as variants: those that differ in seed alone together, in the order in which they were given.

    Variants that bear one title are told apart by what differs between them.

    Args:
        entries: The runs.
    """
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_identity(entry.config), []).append(entry)
    variants = [Variant(each[0].title, tuple(sorted(each, key=_seed)), {}) for each in groups.values()]
    changed = differences([variant.config for variant in variants])
    settings = [{path: told[place] for path, told in changed.items()} for place in range(len(variants))]
    titles = _distinct(variants)
    return [
        replace(variant, title=title, settings=found)
        for variant, title, found in zip(variants, titles, settings, strict=True)
    ]


def _distinct(variants: Sequence[Variant]) -> list[str]:
    alike: dict[str, list[int]] = {}
    for place, variant in enumerate(variants):
        alike.setdefault(variant.title, []).append(place)
    titles = [variant.title for variant in variants]
    for places in alike.values():
        changed = differences([variants[place].config for place in places])
        labels = short_paths(changed)
        for number, place in enumerate(places):
            told = [f"{labels[path]}={values[number]}" for path, values in changed.items()]
            titles[place] = ", ".join([titles[place], *told])
    return titles


def _identity(config: Mapping[str, Any]) -> str:
    """Returns what is the same for runs that differ in seed alone."""
    return json.dumps(without(config, ("seed", *INCIDENTAL)), sort_keys=True)


def _seed(entry: Entry) -> int:
    return entry.seed
