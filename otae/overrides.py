"""Dotted overrides of plain values, and configurations merged onto others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from .config import (
    AdversaryConfig,
    Component,
    DataConfig,
    Experiment,
    ModelConfig,
    OptimizerConfig,
    SchedulerConfig,
    TermConfig,
    TrainingConfig,
)
from .errors import ConfigError, near_match
from .yaml_values import read_setting

_SHARED = {name for model in (DataConfig, OptimizerConfig, SchedulerConfig) for name in model.model_fields}
_SHARED -= set(Component.model_fields)
_SECTIONS = (Experiment, ModelConfig, TermConfig, TrainingConfig, AdversaryConfig)
_COMPONENTS = {
    name
    for section in _SECTIONS
    for name, field in section.model_fields.items()
    if any(
        isinstance(each, type) and issubclass(each, Component)
        for each in (field.annotation, *get_args(field.annotation))
    )
} | {"kernel", "ground"}  # options that hold a component in every cost that has them


def overridden(values: Any, overrides: Iterable[str]) -> Any:
    """Returns plain values with dotted overrides applied, such as `model.prior.components=10`.

    Their order does not matter: shorter paths come first, and of equally long ones those that end in `.name`, which drop
    the options of the component that they replace. Of two with one path, the later one holds.

    Args:
        values: The values to override; they stay as they are.
        overrides: The overrides, each `path=value` with a value in YAML.

    Raises:
        ConfigError: If an override is malformed, or its path leads through a value that has no keys.
    """
    pairs = [_pair(override) for override in overrides]
    former = values
    for path, value in sorted(pairs, key=lambda pair: (len(pair[0]), pair[0][-1] != "name")):
        values = _set(values, path, value, ".".join(path))
    for path, _ in pairs:
        _require_term(path, former, values)
    return values


def paths_of(overrides: Iterable[str]) -> list[str]:
    """Returns the dotted path of each override.

    Args:
        overrides: The overrides, each `path=value`.
    """
    return [override.partition("=")[0].strip() for override in overrides]


def _require_term(path: list[str], former: Any, values: Any) -> None:
    """Checks that an override of a term means one that is there, or makes a whole one."""
    if path[0] != "objective" or len(path) < 3:
        return
    known, terms = (each.get("objective") if isinstance(each, Mapping) else None for each in (former, values))
    if not isinstance(known, Mapping) or path[1] in known or not isinstance(terms, Mapping):
        return
    term = terms.get(path[1])
    if isinstance(term, Mapping) and not {"cost", "source"} <= set(term):
        listed = ", ".join(map(str, known)) or "none"
        raise ConfigError(
            f"--set {'.'.join(path)}: the configuration has no term {path[1]!r}. Its terms: {listed}."
            f"{near_match(path[1], map(str, known))} A new one needs its cost, source and, for most costs, target."
        )


def _pair(override: str) -> tuple[list[str], Any]:
    path, equals, text = override.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError(f"The override {override!r} must read path=value, such as model.prior.components=10.")
    return keys, read_setting(text, f"--set {path.strip()}")


def merged(values: Any, changes: Any) -> Any:
    """Returns plain values with others merged onto them, as if each were an override.

    Mappings are merged, to any depth; all else is replaced. A component of another name drops the former one's options.

    Args:
        values: The values to merge onto; they stay as they are.
        changes: The values that hold where both say something.
    """
    return _merged(values, changes, "") if changes else values


def _merged(values: Any, changes: Any, place: str) -> Any:
    values = _named(values, place)
    if not changes or not isinstance(changes, dict) or not isinstance(values, dict):
        return changes
    kept = _renamed(values, changes["name"]) if "name" in changes else values
    return {**kept, **{key: _merged(kept.get(key), value, key) for key, value in changes.items()}}


def _set(values: Any, path: list[str], value: Any, whole: str, place: str = "") -> dict[str, Any]:
    key, *rest = path
    values = {} if values is None else _named(values, place)
    if not isinstance(values, dict):
        raise ConfigError(f"--set {whole}: the path stops before {key!r}, at the value {values!r}, which has no keys.")
    if rest:
        return {**values, key: _set(values.get(key), rest, value, whole, key)}
    return {**(_renamed(values, value) if key == "name" else values), key: value}


def _named(values: Any, place: str) -> Any:
    return {"name": values} if isinstance(values, str) and place in _COMPONENTS else values


def _renamed(component: dict[str, Any], name: Any) -> dict[str, Any]:
    """Returns a component that shall bear a name: what all components share if it is another one, else all of it."""
    same = component.get("name") == name or not isinstance(name, str)
    return component if same else {option: value for option, value in component.items() if option in _SHARED}
