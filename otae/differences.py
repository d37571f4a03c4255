"""What differs between configurations, in words: the options that tell one run from another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import PydanticUndefined

from .config import Component, DataConfig
from .errors import OtaeError
from .registry import Registry, costs, datasets, decoders, encoders, priors
from .signature import options_model

#: Options that change how a run is computed or judged, and not what is trained
INCIDENTAL = (
    "training.threads",
    "training.accelerator",
    "training.devices",
    "training.nodes",
    "data.workers",
    "evaluation",
)

_ABSENT = object()
_REGISTRIES: tuple[tuple[re.Pattern[str], Registry[Any]], ...] = (
    (re.compile(r"data"), datasets),
    (re.compile(r"model\.encoder"), encoders),
    (re.compile(r"model\.decoder"), decoders),
    (re.compile(r"model\.prior"), priors),
    (re.compile(r"objective\.[^.]+\.cost"), costs),
)
_SECTIONS = ("model.", "objective.", "training.")
_LONGEST, _MOST = 40, 4


def differences(
    configs: Sequence[Mapping[str, Any]], ignored: Iterable[str] = ("seed", *INCIDENTAL)
) -> dict[str, list[str]]:
    """Returns the options that are not the same in all configurations: by dotted path, the value in each, in words.

    Components of different names are told by name, with the options that are not their defaults. What a configuration
    lacks is told as `–`.

    Args:
        configs: Resolved configurations, as plain values.
        ignored: Paths that are left out, with all beneath them.

    Examples:
        >>> differences([{"model": {"latent_dim": 8}}, {"model": {"latent_dim": 16}}])
        {'model.latent_dim': ['8', '16']}
    """
    return _differences(list(configs), "", set(ignored)) if len(configs) > 1 else {}


def title_of(name: str, base: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Returns the title of a configuration: the name of the one it began as, and what differs from that.

    Args:
        name: The name of the recipe or file.
        base: What it resolves to as it stands.
        config: The resolved configuration.

    Examples:
        >>> title_of("ae", {"model": {"latent_dim": 8}}, {"model": {"latent_dim": 16}})
        'ae, latent_dim=16'
    """
    changed = differences([base, config])
    told = [f"{label}={changed[path][1]}" for path, label in short_paths(changed).items()]
    more = [f"{len(told) - _MOST + 1} more"] if len(told) > _MOST else []
    return ", ".join([name, *told[: _MOST - bool(more)], *more])


def short_paths(paths: Iterable[str]) -> dict[str, str]:
    """Returns a short label for each dotted path: without its section and a final `.name`, where it stays unique.

    Args:
        paths: The paths.

    Examples:
        >>> short_paths(["model.prior.name", "data.name", "objective.prior.weight"])
        {'model.prior.name': 'prior', 'data.name': 'data', 'objective.prior.weight': 'prior.weight'}
    """
    whole = list(paths)
    short = [_shortened(path) for path in whole]
    return {path: label if short.count(label) == 1 else path for path, label in zip(whole, short, strict=True)}


def without(values: Any, paths: Iterable[str]) -> Any:
    """Returns plain values without some options, and without all beneath them.

    Args:
        values: The values.
        paths: The dotted paths of what is left out.

    Examples:
        >>> without({"seed": 0, "data": {"name": "digits", "workers": 2}}, ["seed", "data.workers"])
        {'data': {'name': 'digits'}}
    """
    return _without(values, "", set(paths))


def _without(values: Any, path: str, left_out: set[str]) -> Any:
    if not isinstance(values, Mapping):
        return values
    inner = {key: f"{path}.{key}" if path else str(key) for key in values}
    return {key: _without(value, inner[key], left_out) for key, value in values.items() if inner[key] not in left_out}


def spell(value: Any, path: str = "") -> str:
    """Returns a value of a configuration in words: a component as its name and the options that are not defaults.

    Args:
        value: The value.
        path: Where it stands, which tells the kind of a component.

    Examples:
        >>> spell({"name": "mixture", "components": 20}, "model.prior")
        'mixture(components=20)'
    """
    if isinstance(value, Mapping) and isinstance(value.get("name"), str):
        own = {key: each for key, each in value.items() if key != "name" and key not in _beside(path)}
        options = [f"{key}={spell(each)}" for key, each in own.items() if each != _default(value["name"], path, key)]
        text = f"{value['name']}({', '.join(options)})" if options else value["name"]
    elif isinstance(value, Mapping) and "cost" in value:
        weight = spell(value.get("weight", 1.0))
        text = spell(value["cost"], f"{path}.cost") + (f" × {weight}" if weight != "1" else "")
    elif isinstance(value, Mapping):
        text = "{" + ", ".join(f"{key}: {spell(each)}" for key, each in value.items()) + "}"
    elif isinstance(value, str):
        text = value
    elif isinstance(value, float):
        text = f"{value:g}"
    elif isinstance(value, list):
        text = f"[{', '.join(spell(each) for each in value)}]"
    else:
        text = "none" if value is None else json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _differences(values: list[Any], path: str, ignored: set[str]) -> dict[str, list[str]]:
    if path in ignored or all(value == values[0] for value in values[1:]):
        return {}
    keys = list(dict.fromkeys(key for value in values if isinstance(value, Mapping) for key in value))
    found: dict[str, list[str]] = {}
    if not all(isinstance(value, Mapping) for value in values) or len({_name(value) for value in values}) > 1:
        found = {path: [_spelled(value, path) for value in values]}
        keys = [key for key in keys if key in _beside(path)]
    for key in keys:
        inner = f"{path}.{key}" if path else key
        below = [value.get(key, _ABSENT) if isinstance(value, Mapping) else _ABSENT for value in values]
        found |= _differences(below, inner, ignored)
    return found


def _name(value: Mapping[str, Any]) -> Any:
    return value.get("name")


def _beside(path: str) -> set[str]:
    """Returns the keys beside a component's own options: how any dataset is split and batched."""
    return set(DataConfig.model_fields) - set(Component.model_fields) if path == "data" else set()


def _spelled(value: Any, path: str) -> str:
    return "–" if value is _ABSENT or value is None else spell(value, path)


def _shortened(path: str) -> str:
    short = next((path.removeprefix(section) for section in _SECTIONS if path.startswith(section)), path)
    return short.removesuffix(".name") or path


def _default(name: str, path: str, option: str) -> Any:
    """Returns the default of a component's option, as plain values; a placeholder where it cannot be known."""
    registry = next((each for pattern, each in _REGISTRIES if pattern.fullmatch(path)), None)
    if registry is None:
        return _ABSENT
    try:
        field = options_model(registry.get(name), registry.given).model_fields.get(option)
    except OtaeError:  # the plugin is not installed here: all its options are told
        return _ABSENT
    default = field.get_default(call_default_factory=True) if field else PydanticUndefined
    return _ABSENT if default is PydanticUndefined else _plain(default)


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default
