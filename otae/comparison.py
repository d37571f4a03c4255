"""Two configurations of one run, compared: what differs, by dotted path."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .build import resolve
from .config import Experiment, parse
from .errors import OtaeError, RunError

Changes = dict[str, tuple[Any, Any]]
TRAINED = ("seed", "data", "model", "objective", "training")


def to_canonical(experiment: Experiment) -> str:
    """Returns what decides a training, as JSON.

    Args:
        experiment: The resolved experiment.
    """
    values = experiment.to_dict()
    return json.dumps({key: values[key] for key in TRAINED}, sort_keys=True)


def find_changes(former: str, experiment: Experiment, sections: Iterable[str] = TRAINED) -> Changes:
    """Returns what differs between a configuration from before and an experiment: dotted path, before, now.

    Args:
        former: The configuration from before, as `to_canonical` wrote it.
        experiment: The resolved experiment of now.
        sections: The keys of the configuration to compare.

    Raises:
        RunError: If the former configuration cannot be understood.
    """
    try:
        values = resolve(parse(json.loads(former), "the former configuration")).to_dict()
    except (OtaeError, ValueError, RecursionError) as error:
        raise RunError(f"The former configuration is not allowed here: it cannot be continued. {error}") from error
    before, now = (dict(_leaves({key: each[key] for key in sections})) for each in (values, experiment.to_dict()))
    paths = [*before, *(path for path in now if path not in before)]
    return {path: (before.get(path), now.get(path)) for path in paths if before.get(path) != now.get(path)}


def require_unchanged(folder: Path, former: str, experiment: Experiment) -> None:
    """Checks that weights and configuration have not drifted apart; a training that goes on is only told.

    Args:
        folder: The run's folder.
        former: The configuration that the weights were trained with, as `to_canonical` wrote it.
        experiment: The resolved experiment of now.

    Raises:
        RunError: If the model or the objective is another one.
    """
    if changes := find_changes(former, experiment, ("model", "objective")):
        raise RunError(
            f"{folder / 'model.safetensors'} does not fit its configuration: it was trained with another one. config.yaml says "
            f"{describe(changes)}. Put it back, or train anew."
        )
    if changes := find_changes(former, experiment, ("seed", "training")):
        warnings.warn(
            f"The weights of {folder} are from before a change: {describe(changes)}. Continue with `otae resume {folder}`.",
            stacklevel=6,
        )


def describe(changes: Changes) -> str:
    """Returns changes in words.

    Args:
        changes: The changes.
    """
    told = (f"{path} = {json.dumps(now)} (it was {json.dumps(before)})" for path, (before, now) in changes.items())
    return ", ".join(told)


def _leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(values, Mapping) and values:
        for key, value in values.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, values
