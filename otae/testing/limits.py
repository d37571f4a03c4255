"""The values at which an option's type ends, from its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_STEP = {"integer": 1, "number": 1e-6}
_WORDS: dict[str, tuple[bool | None, ...]] = {"boolean": (False, True), "null": (None,)}
_LARGE = 1024  # larger limits are there to keep users from typing errors: nothing is built so large


def allowed(spec: Mapping[str, Any]) -> Iterator[Any]:
    """Yields the values at the ends of an option's type: its smallest, its largest, each of its words.

    Args:
        spec: The JSON Schema of the option.

    Examples:
        >>> list(allowed({"type": "integer", "exclusiveMinimum": 0, "maximum": 5}))
        [1, 5]
        >>> list(allowed({"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]}))
        ['a', 'b', None]
    """
    yield from _inside(spec)
    yield from spec.get("enum", [])
    yield from [spec["const"]] if "const" in spec else []
    yield from _WORDS.get(spec.get("type", ""), ())
    yield from (value for each in spec.get("anyOf", []) for value in allowed(each))


def forbidden(spec: Mapping[str, Any]) -> Iterator[Any]:
    """Yields the values just beyond the ends of a number's type; none where other types are allowed beside it.

    Args:
        spec: The JSON Schema of the option.

    Examples:
        >>> list(forbidden({"type": "integer", "exclusiveMinimum": 0, "maximum": 5}))
        [0, 6]
    """
    step = _STEP.get(spec.get("type", ""), 0)
    yield from (spec[key] for key in ("exclusiveMinimum", "exclusiveMaximum") if key in spec)
    yield from (spec[key] + sign * step for key, sign in (("minimum", -1), ("maximum", 1)) if key in spec)


def _inside(spec: Mapping[str, Any]) -> Iterator[Any]:
    step = _STEP.get(spec.get("type", ""), 0)
    ends = (("minimum", 0), ("exclusiveMinimum", 1), ("exclusiveMaximum", -1), ("maximum", 0))
    yield from (spec[key] + sign * step for key, sign in ends if key in spec and abs(spec[key]) <= _LARGE)
