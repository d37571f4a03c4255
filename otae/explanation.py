"""Validation errors in plain sentences: the place, what was given, what is allowed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .errors import near_match, shorten

_OTHER_FORMS = ("is_instance_of",)  # no configuration holds an instance
_NAMED = ("Component", "DataConfig", "OptimizerConfig", "SchedulerConfig")  # what a name alone configures


def explain(
    error: ValidationError,
    where: str,
    model: type[BaseModel],
    beside: Collection[str] = (),
    values: Any = None,
    changed: Collection[str] = (),
) -> str:
    """Returns a validation error in plain sentences, one a line: the place, what was given, what is allowed.

    Args:
        error: The error of pydantic.
        where: What stands before the dotted path of each place; empty for none.
        model: The model that was validated against.
        beside: The keys that are allowed at the top beside the model's own.
        values: The values that were validated.
        changed: The dotted paths of overrides, which bear the blame in place of `where` for what lies on them.
    """
    found: dict[tuple[str | int, ...], list[ErrorDetails]] = {}
    blamed: dict[tuple[str | int, ...], str] = {}
    for details in error.errors(include_url=False):
        loc = find_place(details, values)
        place = ".".join(map(str, loc))
        guilty = any(_lies_on(place, path) for path in changed)
        told = shorten(place, 200)
        blamed[loc] = f"--set {told}" if guilty else ": ".join(part for part in (where, told) if part)
        found.setdefault(loc, []).append(details)
    sentences = {
        loc: [_sentence(details, loc, model, beside) for details in _drop_other_forms(errors)]
        for loc, errors in found.items()
    }
    return "\n".join(f"{blamed[loc]}: {_join(told)}" for loc, told in sentences.items())


def _drop_other_forms(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Returns the errors of one place without those of forms that were not meant: a component that was made, or a list."""
    faults = [details for details in errors if details["type"] not in _OTHER_FORMS]
    meant = [details for details in faults if details["type"] == "value_error"] or faults
    return meant or errors


def find_place(details: ErrorDetails, values: Any) -> tuple[str | int, ...]:
    """Returns where an error lies: the keys and positions that lead there, without pydantic's names for kinds of values.

    Args:
        details: The error.
        values: The values that were validated; where `None`, only what stands in brackets is left out.
    """
    loc = details["loc"]
    union = [part for part in loc if not str(part).startswith("<")]  # the tags of unions stand in brackets
    plain = (
        list(loc) if details["type"] == "extra_forbidden" and loc[-1] not in union else union
    )  # a key may look like one
    if values is None:
        return tuple(plain)
    kept: list[str | int] = []
    here = values
    for part in plain[: -1 if details["type"] == "missing" else None]:
        if isinstance(here, Mapping) and part in here:
            kept, here = [*kept, part], here[part]
        elif isinstance(here, list | tuple) and isinstance(part, int):
            kept, here = [*kept, part], here[part] if part < len(here) else None
        elif isinstance(here, Mapping) and isinstance(part, int):  # an error about a key
            kept = [*kept, part]
    return (*kept, *(plain[-1:] if details["type"] == "missing" else ()))


def _lies_on(place: str, path: str) -> bool:
    return place == path or place.startswith(f"{path}.") or path.startswith(f"{place}.")


def _join(told: Sequence[tuple[str, str]]) -> str:
    """Returns what several kinds of a value would need as one sentence."""
    allowed = list(dict.fromkeys(each for each, _ in told))
    rest = "".join(f", or {each.removeprefix('Input should be ')}" for each in allowed[1:])
    return allowed[0] + rest + max((ending for _, ending in told), key=len)


def _sentence(
    details: ErrorDetails, loc: Sequence[str | int], model: type[BaseModel], beside: Collection[str]
) -> tuple[str, str]:
    """Returns what is allowed, and how the sentence ends: with what was given."""
    given, text = f" (got {shorten(repr(details['input']), 200)}).", details["msg"]
    match details["type"]:
        case "extra_forbidden":
            known = sorted([*_siblings(model, loc), *(beside if len(loc) == 1 else ())])
            hint = near_match(str(loc[-1]), known)
            return f"unknown option. Allowed: {', '.join(known) or 'none'}", f".{hint}"
        case "missing":
            return "this option is required and was not given", "."
        case "value_error":
            return text.removeprefix("Value error, "), "."
        case "string_type" if isinstance(details["input"], bool):
            quoted = f'"{str(details["input"]).lower()}"'
            return f"Input should be a valid string; for the text, quote it as '{quoted}'", given
        case "model_type" | "model_attributes_type":
            name = str(details.get("ctx", {}).get("class_name", ""))
            named = name in _NAMED or name.startswith("Nested")
            return f"Input should be {'a name, or ' if named else ''}a mapping of options", given
        case "dict_type":
            return "Input should be a mapping", given
        case "path_type":
            return "Input should be a path", given
        case "literal_error":
            allowed = re.findall(r"'([^']+)'", str(details.get("ctx", {}).get("expected", "")))
            return text, given + near_match(str(details["input"]), allowed)
    return text, given


def _siblings(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Returns the keys that a model allows beside the last one of a path."""
    here: Any = model
    for part in loc[:-1]:
        here = _below(here, str(part))
    return sorted(field.alias or name for name, field in here.model_fields.items()) if _is_model(here) else []


def _below(annotation: Any, key: str) -> Any:
    if _is_model(annotation):
        field = annotation.model_fields.get(key)
        return _contained(field.annotation) if field else None
    return _contained(annotation)


def _contained(annotation: Any) -> Any:
    """Returns the model that an annotation such as `Model | None` or `dict[str, Model]` holds, mappings kept one level."""
    if get_origin(annotation) is dict:
        return get_args(annotation)[1:]
    options = annotation if isinstance(annotation, tuple) else (annotation, *get_args(annotation))
    inner = [option for option in options if _is_model(option)]
    nested = [found for option in options if (found := next(filter(_is_model, get_args(option)), None))]
    return next(iter([*inner, *nested]), None)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
