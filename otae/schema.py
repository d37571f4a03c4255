"""One JSON Schema of configurations, over the plugins that are installed."""

from __future__ import annotations

from typing import Any

from .config import Experiment
from .errors import PluginError
from .registry import Registry, costs, datasets, decoders, encoders, priors
from .signature import options_model

_PLACES: dict[tuple[str, str], Registry[Any]] = {
    ("Experiment", "data"): datasets,
    ("ModelConfig", "encoder"): encoders,
    ("ModelConfig", "decoder"): decoders,
    ("ModelConfig", "prior"): priors,
    ("TermConfig", "cost"): costs,
}
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
    for section in ("OptimizerConfig", "SchedulerConfig"):
        definitions[section] = {"anyOf": [{"type": "string"}, definitions[section]]}
    terms = base["properties"]["objective"]
    terms["additionalProperties"] = {"anyOf": [terms["additionalProperties"], {"type": "null"}]}
    used = {name: value for name, value in definitions.items() if name not in {"Component", "DataConfig", "Experiment"}}
    return {"$schema": _DIALECT, **base, "title": "otae experiment", "$defs": dict(sorted(used.items()))}


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
    for inner, value in own.pop("$defs", {}).items():
        definitions[f"{registry.kind}.{name}.{inner}"] = value
    shared = definitions["DataConfig"]["properties"] if registry is datasets else {}
    return {
        "type": "object",
        "title": f"{registry.kind} {name}",
        "description": (plugin.__doc__ or "").strip().partition("\n")[0],
        "properties": {**shared, **own.get("properties", {}), "name": {"const": name}},
        "required": ["name", *own.get("required", [])],
        "additionalProperties": False,
    }
