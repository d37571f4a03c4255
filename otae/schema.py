"""One JSON Schema of configurations, over the plugins that are installed."""

from __future__ import annotations

from typing import Any

from .build import DEFAULT_METRICS
from .config import Experiment
from .errors import PluginError
from .extending import KEY
from .nested import KINDS
from .registry import Registry, costs, datasets, decoders, encoders, grounds, kernels, metrics, priors
from .signature import options_model

_PLACES: dict[tuple[str, str], Registry[Any]] = {
    ("Experiment", "data"): datasets,
    ("ModelConfig", "encoder"): encoders,
    ("ModelConfig", "decoder"): decoders,
    ("ModelConfig", "prior"): priors,
    ("TermConfig", "cost"): costs,
}
_DEFAULT = {
    "type": "object",
    "description": "Every installed metric that is not costly and that the data allow.",
    "properties": {"name": {"const": DEFAULT_METRICS}},
    "required": ["name"],
    "additionalProperties": False,
}
_PART = ".partial"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Returns the JSON Schema of an experiment; every plugin that can be used is an alternative with its own options.

    Editors use it to complete and check configurations. The reference remains `load_config`, which knows more.
    """
    base = Experiment.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = base.pop("$defs")
    definitions["Experiment"] = base
    for (section, field), registry in _PLACES.items():
        definitions[registry.kind] = _component(registry, definitions)
        definitions[section]["properties"][field] = {"$ref": f"#/$defs/{registry.kind}"}
    for registry in (metrics, kernels, grounds):
        definitions[registry.kind] = _component(registry, definitions)
    definitions["metric"]["anyOf"] = [_DEFAULT, {"const": DEFAULT_METRICS}, *definitions["metric"]["anyOf"]]
    one = {"$ref": "#/$defs/metric"}
    judged = definitions["EvaluationConfig"]["properties"]["metrics"]
    judged["anyOf"] = [{"type": "array", "items": one, "minItems": 1}, one]
    for key in ("type", "items", "minItems"):
        judged.pop(key, None)
    for section in ("OptimizerConfig", "SchedulerConfig"):
        definitions[section] = {"anyOf": [{"type": "string"}, definitions[section]]}
    terms = base["properties"]["objective"]
    terms["additionalProperties"] = {"anyOf": [terms["additionalProperties"], {"type": "null"}]}
    unused = {"Component", "DataConfig"}
    whole = {name: value for name, value in definitions.items() if name not in unused}
    used = whole | {f"{name}{_PART}": _partial(value) for name, value in whole.items()}
    used[f"Experiment{_PART}"]["properties"][KEY] = {
        "type": "string",
        "description": "The recipe, or the YAML file relative to this one, that what follows is merged onto.",
    }
    return {
        "$schema": _DIALECT,
        "title": "otae experiment",
        "if": {"required": [KEY]},
        "then": {"$ref": f"#/$defs/Experiment{_PART}"},
        "else": {"$ref": "#/$defs/Experiment"},
        "$defs": dict(sorted(used.items())),
    }


def _partial(node: Any) -> Any:
    """Returns a schema's part in which nothing is required, as where the rest stands in the configuration extended."""
    if isinstance(node, list):
        return [_partial(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _partial(value) for key, value in node.items() if key != "required" or not isinstance(value, list)}
    return kept | {"$ref": f"{node['$ref']}{_PART}"} if isinstance(node.get("$ref"), str) else kept


def _component(registry: Registry[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    variants, bare = [], []
    for name in registry.names():
        try:
            variant = _variant(registry, name, definitions)
        except PluginError:
            continue  # a broken plugin cannot be configured; `otae list` marks it
        variants.append(variant)
        if variant["required"] == ["name"]:
            bare.append(name)
    return {"anyOf": [{"enum": bare, "description": f"A {registry.kind} with its default options."}, *variants]}


def _variant(registry: Registry[Any], name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    plugin = registry.get(name)
    own = options_model(plugin, registry.given).model_json_schema(
        ref_template=f"#/$defs/{registry.kind}.{name}.{{model}}"
    )
    nested = {f"Nested{interface.__name__}": kind for interface, kind in KINDS.items()}
    for inner, value in own.pop("$defs", {}).items():
        place = {"$ref": f"#/$defs/{nested[inner]}"} if inner in nested else value
        definitions[f"{registry.kind}.{name}.{inner}"] = place
    shared = definitions["DataConfig"]["properties"] if registry is datasets else {}
    return {
        "type": "object",
        "title": f"{registry.kind} {name}",
        "description": (plugin.__doc__ or "").strip().partition("\n")[0],
        "properties": {**shared, **own.get("properties", {}), "name": {"const": name}},
        "required": ["name", *own.get("required", [])],
        "additionalProperties": False,
    }
