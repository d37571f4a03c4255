"""From an estimator's parameters to an experiment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..build import take_memory
from ..config import Experiment
from ..errors import ConfigError
from ..loading import load_config

Recipe: TypeAlias = str | Path | Mapping[str, Any]
Overrides: TypeAlias = Mapping[str, Any] | Iterable[str]


def configure(recipe: Recipe, settings: Mapping[str, Any], overrides: Overrides | None, seed: int) -> Experiment:
    """Returns the experiment of an estimator: a recipe with its settings, on data in memory of which none are held out.

    Args:
        recipe: The name of a recipe, the path of a YAML file, or plain values.
        settings: Values by dotted path; those that are `None` stay as the recipe has them.
        overrides: Further values by dotted path or nested, or overrides as the command line takes them.
        seed: The seed.

    Raises:
        ConfigError: If a key, an option or a value is not allowed.
        PluginError: If the recipe or a plugin is unknown or broken.
    """
    given = {path: value for path, value in settings.items() if value is not None}
    own = [_to_override(path, value) for path, value in ({"data.validation": 0, "data.test": 0} | given).items()]
    experiment = load_config(recipe, [*own, *list_overrides(overrides), f"seed={seed}"], metrics_too=False)
    return take_memory(experiment)


def list_overrides(overrides: Overrides | None) -> list[str]:
    """Returns overrides as the command line takes them.

    Args:
        overrides: Values by dotted path or nested, or such overrides already.

    Examples:
        >>> list_overrides({"training.epochs": 3, "objective": {"match": {"weight": 2.0}}})
        ['training.epochs=3', 'objective.match.weight=2.0']
    """
    if overrides is None:
        return []
    if isinstance(overrides, str):
        raise ConfigError(f"overrides are a mapping of paths to values, or a list, got the text {overrides!r}.")
    if not isinstance(overrides, Mapping):
        return [str(each) for each in overrides]
    return [_to_override(path, value) for path, value in _flatten(overrides)]


def _flatten(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _to_override(path: str, value: Any) -> str:
    return f"{path}={json.dumps(value, default=_to_plain)}"


def _to_plain(value: Any) -> Any:
    """Returns a value of NumPy, such as a grid has, as a plain one."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise ConfigError(
        f"A configuration holds numbers, text, lists and mappings, got {type(value).__name__}: {value!r}."
    )
