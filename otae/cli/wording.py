"""The types and limits of options in words, from their JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Spec = Mapping[str, Any]

_SIGNS = {
    "exclusiveMinimum": "> {}",
    "minimum": "≥ {}",
    "exclusiveMaximum": "< {}",
    "maximum": "≤ {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} letters",
    "maxLength": "at most {} letters",
    "pattern": "matching {}",
    "minItems": "length ≥ {}",
    "maxItems": "length ≤ {}",
    "minProperties": "length ≥ {}",
    "maxProperties": "length ≤ {}",
}
_NONE = {"null": "none", "object": "mapping", "array": "list"}


def type_of(spec: Spec, definitions: Spec) -> str:
    """Returns an option's type in words, such as `list of number or none`.

    Args:
        spec: The JSON Schema of the option.
        definitions: The schemas that it may refer to, by name.

    Examples:
        >>> type_of({"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "null"}]}, {})
        'list of number or none'
    """
    match spec:
        case {"$ref": str(place)}:
            return type_of(*_referred(place, definitions))
        case {"anyOf": [*choices]} | {"oneOf": [*choices]}:
            return " or ".join(dict.fromkeys(type_of(each, definitions) for each in choices))
        case {"enum": [*values]}:
            return " | ".join(map(repr, values))
        case {"const": value}:
            return repr(value)
        case {"prefixItems": [*items]}:
            return f"[{', '.join(type_of(each, definitions) for each in items)}]"
        case {"items": dict(item)}:
            return f"list of {type_of(item, definitions)}"
        case {"properties": dict(fields)}:
            return f"{{{', '.join(f'{name}: {type_of(each, definitions)}' for name, each in fields.items())}}}"
        case {"additionalProperties": dict(value)}:
            keys = type_of(spec.get("propertyNames", {"type": "string"}), definitions)
            return f"mapping of {keys} to {type_of(value, definitions)}"
    kind = str(spec.get("type", "any"))
    return _NONE.get(kind, kind)


def limits_of(spec: Spec, definitions: Spec) -> str:
    """Returns an option's limits in words, such as `length ≥ 1, each > 0`; empty where there are none.

    Args:
        spec: The JSON Schema of the option.
        definitions: The schemas that it may refer to, by name.

    Examples:
        >>> limits_of({"type": "array", "minItems": 1, "items": {"exclusiveMinimum": 0}}, {})
        'length ≥ 1, each > 0'
    """
    return ", ".join(dict.fromkeys(_limits(spec, definitions)))


def _limits(spec: Spec, definitions: Spec) -> Iterator[str]:
    if "prefixItems" not in spec:  # the type itself tells how many entries there are
        yield from (sign.format(spec[key]) for key, sign in _SIGNS.items() if key in spec)
    match spec:
        case {"$ref": str(place)}:
            yield from _limits(*_referred(place, definitions))
        case {"anyOf": [*choices]} | {"oneOf": [*choices]}:
            yield from (limit for each in choices for limit in _limits(each, definitions))
        case {"prefixItems": [*items]}:
            yield from (f"each {limit}" for each in items for limit in _limits(each, definitions))
        case {"properties": dict(fields)}:
            yield from (f"{name} {limit}" for name, each in fields.items() for limit in _limits(each, definitions))
        case {"items": dict(inner)} | {"additionalProperties": dict(inner)}:
            yield from (f"each {limit}" for limit in _limits(inner, definitions))


def _referred(place: str, definitions: Spec) -> tuple[Spec, Spec]:
    """Returns what a reference means, and the other definitions: one that refers to itself ends so."""
    name = place.rpartition("/")[2]
    return definitions.get(name, {"type": name}), {key: each for key, each in definitions.items() if key != name}
