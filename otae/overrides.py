"""YAML text and dotted overrides as plain values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, get_args

import yaml

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
from .errors import ConfigError

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


_LONGEST_TEXT, _DEEPEST, _MOST_VALUES = 1_000_000, 40, 100_000


class _Loader(yaml.SafeLoader):
    """Creates a safe YAML loader that reads 1e-4 as a number and refuses a key given twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        nodes = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        keys = [self.construct_object(key, deep=True) for key in nodes]
        for position, (key, key_node) in enumerate(zip(keys, nodes, strict=True)):
            if key in keys[:position]:
                problem = f"the key {key!r} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
)


def read_yaml(text: str, where: str) -> Any:
    """Returns what YAML text says, as plain values.

    Args:
        text: The text.
        where: Where it came from, for messages.

    Raises:
        ConfigError: If the text is no YAML, naming the line and column.
    """
    if len(text) > _LONGEST_TEXT:
        raise ConfigError(
            f"{where}: {len(text):,} characters are too many for a configuration: at most {_LONGEST_TEXT:,}."
        )
    try:
        values = yaml.load(text, Loader=_Loader)
        _require_small(values, where)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
        raise ConfigError(f"{place}: {error.problem or 'not valid YAML'}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not valid YAML: {error}.") from error
    except RecursionError as error:
        raise ConfigError(f"{where}: nested too deeply: at most {_DEEPEST} levels are allowed.") from error
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
    ) as error:  # PyYAML's constructors let them out
        raise ConfigError(f"{where}: a value is not what its form says, such as a date: {error}.") from error
    return values


def _require_small(values: Any, where: str) -> None:
    """Checks that values are of bounded depth and number, aliases counted as often as they occur."""
    count, level = 0, [values]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for each in (each for value in level for each in _below(value)):
            below.append(each)
            count += 1
            if count > _MOST_VALUES:
                raise ConfigError(f"{where}: holds too many values: at most {_MOST_VALUES:,}, aliases included.")
        if not below:
            return
        level = below
    raise ConfigError(f"{where}: nested too deeply: at most {_DEEPEST} levels are allowed.")


def _below(value: Any) -> Iterable[Any]:
    match value:
        case dict():
            return [*value, *value.values()]
        case list() | tuple() | set():
            return value
    return ()


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
    for path, value in sorted(pairs, key=lambda pair: (len(pair[0]), pair[0][-1] != "name")):
        values = _set(values, path, value, ".".join(path))
    return values


def _pair(override: str) -> tuple[list[str], Any]:
    path, equals, text = override.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError(f"The override {override!r} must read path=value, such as model.prior.components=10.")
    return keys, read_yaml(text, f"--set {path}")


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
