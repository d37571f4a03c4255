"""YAML text and dotted overrides as plain values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml

from .config import Component, DataConfig, OptimizerConfig, SchedulerConfig
from .errors import ConfigError

_SHARED = {name for model in (DataConfig, OptimizerConfig, SchedulerConfig) for name in model.model_fields}
_SHARED -= set(Component.model_fields)


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
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
        raise ConfigError(f"{place}: {error.problem or 'not valid YAML'}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not valid YAML: {error}.") from error


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


def _set(values: Any, path: list[str], value: Any, whole: str) -> dict[str, Any]:
    key, *rest = path
    if isinstance(values, str):
        values = {"name": values}  # a component given by its name alone
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ConfigError(f"--set {whole}: the path stops before {key!r}, at the value {values!r}, which has no keys.")
    if rest:
        return {**values, key: _set(values.get(key), rest, value, whole)}
    if key == "name" and values.get("name") != value:
        values = {name: option for name, option in values.items() if name in _SHARED}
    return {**values, key: value}
