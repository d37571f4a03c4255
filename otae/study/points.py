"""The points of a study: every variant, at every value of the grid, with every seed, resolved before anything trains."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from ..build import resolve
from ..config import Experiment, SplitName, parse
from ..differences import INCIDENTAL, short_paths, spell, without
from ..errors import ConfigError, OtaeError
from ..extending import extended, is_path
from ..files import file_name
from ..overrides import merged, overridden
from .declaration import Source, as_override

#: The number of a hash's letters that name a folder
HASH = 12

_Place = tuple[str | int, ...]
_Layer = tuple[_Place, str, Any]


@dataclass(frozen=True)
class Point:
    """Holds one training of a study.

    Args:
        variant: What it is called, without its seed.
        settings: What tells it from other variants, in words: its base, its name, its values of the grid.
        experiment: What is trained, resolved.
    """

    variant: str
    settings: Mapping[str, str]
    experiment: Experiment

    @property
    def seed(self) -> int:
        """Returns its seed."""
        return self.experiment.seed

    @property
    def hash(self) -> str:
        """Returns what identifies it: the hash of its resolved configuration.

        How it is computed (threads, devices) and judged (the section `evaluation`) does not change what is trained, and does
        not count.
        """
        return _hash(self.experiment.to_dict(), INCIDENTAL)

    @property
    def evaluation(self) -> str:
        """Returns what identifies how it is judged: the hash of the section `evaluation`."""
        return _hash(self.experiment.to_dict().get("evaluation"), ())

    @property
    def folder(self) -> str:
        """Returns the name of its run's folder."""
        return f"{file_name(self.variant)[:80]}-seed{self.seed}-{self.hash[:HASH]}"


def expand(source: Source) -> list[Point]:
    """Returns the points of a study, variant by variant, all seeds of one together.

    Args:
        source: The declaration.

    Raises:
        ConfigError: If a recipe is unknown, or an option is unknown or not allowed; the message names file, line and path.
    """
    return [point for variant in _variants(source) for point in _seeds(source, *variant)]


def _variants(source: Source) -> Iterator[tuple[str, dict[str, str], list[_Layer]]]:
    declaration = source.declaration
    labels = short_paths(declaration.grid)
    shared: list[_Layer] = [(("set", path), path, value) for path, value in declaration.set.items()]
    variants = declaration.variants or {"": {}}
    axes = [[(path, number) for number in range(len(values))] for path, values in declaration.grid.items()]
    for (number, base), (name, options), steps in product(
        enumerate(declaration.base), variants.items(), product(*axes)
    ):
        start: _Layer = (("variants", name, "base"), "base", options["base"]) if "base" in options else (
            ("base", number), "base", base,
        )  # fmt: skip
        own: list[_Layer] = [
            (("variants", name, path), path, value) for path, value in options.items() if path != "base"
        ]
        grid: list[_Layer] = [(("grid", path, step), path, declaration.grid[path][step]) for path, step in steps]
        several = len(declaration.base) > 1 or not name
        settings = {"base": _stem(start[2])} if several else {}
        settings |= {"variant": name} if name else {}
        varied = {labels[path]: spell(value, path) for _, path, value in grid if len(declaration.grid[path]) > 1}
        title = ", ".join([*settings.values(), *(f"{label}={value}" for label, value in varied.items())])
        yield title, settings | varied, [start, *shared, *own, *grid]


def _stem(base: Any) -> str:
    path = Path(str(base))
    return (path.parent.name if path.name == "config.yaml" else path.stem) if is_path(str(base)) else str(base)


def _seeds(source: Source, title: str, settings: dict[str, str], layers: Sequence[_Layer]) -> Iterator[Point]:
    values = _resolved(source, layers)
    for seed in source.declaration.seeds:
        experiment = values.model_copy(update={"seed": seed}).titled(title)
        yield Point(title, settings, experiment)


def _resolved(source: Source, layers: Sequence[_Layer]) -> Experiment:
    try:
        return _resolve(source, layers)
    except OtaeError as error:
        raise _blame(source, layers, error) from error


def _resolve(source: Source, layers: Sequence[_Layer]) -> Experiment:
    (_, _, base), *options = layers
    path = str(base)
    values = extended(
        {"extends": str(source.folder / Path(path).expanduser()) if is_path(path) else path}, source.where
    )
    for stage in _stages(options):
        values = merged(values, overridden({}, [as_override(path, value) for _, path, value in stage]))
    return _judge_on(resolve(parse(values, "")), source.declaration.split)


def _judge_on(experiment: Experiment, split: SplitName | None) -> Experiment:
    """Returns the experiment, to be judged on the split that the study compares.

    Args:
        experiment: The experiment.
        split: The split, or `None` where the study compares what there is.

    Raises:
        ConfigError: If the experiment names splits of its own, and this is none of them.
    """
    section = experiment.evaluation
    if split is None or split in section.splits:
        return experiment
    if "splits" in section.model_fields_set:
        told = f"the study compares the split {split!r}, but its points are judged on {', '.join(section.splits)}"
        raise ConfigError(f"evaluation.splits: {told}. Add it there, or compare one of them.")
    return experiment.model_copy(update={"evaluation": section.model_copy(update={"splits": [split]})})


def _stages(options: Sequence[_Layer]) -> list[list[_Layer]]:
    """Returns the options by where they stand, `set`, `variants`, `grid`: of two with one path, the later one holds."""
    stages: dict[str | int, list[_Layer]] = {}
    for option in options:
        stages.setdefault(option[0][0], []).append(option)
    return list(stages.values())


def _blame(source: Source, layers: Sequence[_Layer], error: OtaeError) -> ConfigError:
    """Returns the error of a point, with the place of the option that brought it about."""
    for length in range(1, len(layers) + 1):
        try:
            _resolve(source, layers[:length])
        except OtaeError as first:
            place = layers[length - 1][0]
            return ConfigError(f"{source.place(*place)}: {_bare(str(first), source.where)}")
    return ConfigError(f"{source.place()}: {_bare(str(error), source.where)}")


def _bare(message: str, where: str) -> str:
    return message.removeprefix(f"{where}: extends: ").removeprefix(": ")


def _hash(values: Any, left_out: Sequence[str]) -> str:
    text = json.dumps(without(values, left_out), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
