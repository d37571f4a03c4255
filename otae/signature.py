"""A component's typed `__init__` as a pydantic model of its options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from .errors import ConfigError, PluginError, near_match

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def parameters(component: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Returns the parameters of a component's `__init__`, without `self`.

    Args:
        component: The class of the component.
    """
    return dict(inspect.signature(component).parameters)


def options_model(component: type, given: Collection[str] = ()) -> type[BaseModel]:
    """Returns the pydantic model of a component's options; unknown keys are forbidden.

    Args:
        component: The class, with a typed `__init__`; constraints stand in the types, as `Annotated[int, Field(gt=0)]`.
        given: The parameters that the builder hands in, which are therefore no options.

    Raises:
        PluginError: If a parameter lacks a type, collects arbitrary arguments, or has a type that no YAML value can fill.
    """
    return _options_model(component, frozenset(given))


@cache
def _options_model(component: type, given: frozenset[str]) -> type[BaseModel]:
    where = f"{component.__module__}.{component.__qualname__}"
    try:
        hints = get_type_hints(component.__init__, include_extras=True)
    except NameError as error:
        raise PluginError(f"The types of {where}.__init__ cannot be read: {error}. Import them at run time.") from error
    fields: dict[str, Any] = {}
    for name, parameter in parameters(component).items():
        if name in given:
            continue
        if parameter.kind in _VARIADIC:
            raise PluginError(f"{where}.__init__ takes *{name}: name and type every option, so that configs can be checked.")
        if name not in hints:
            raise PluginError(f"{where}.__init__ gives no type for {name!r}: annotate it, so that configs can be checked.")
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[name] = (hints[name], default)
    try:
        config = ConfigDict(extra="forbid", allow_inf_nan=False, validate_default=False)
        return create_model(component.__name__, __config__=config, **fields)
    except (PydanticSchemaGenerationError, PydanticUserError, NameError) as error:
        reason = str(error).splitlines()[0]
        raise PluginError(f"The options of {where} have a type that no configuration can fill: {reason}") from error


def validated(component: type, where: str, options: Mapping[str, Any], given: Collection[str] = ()) -> dict[str, Any]:
    """Returns a component's options checked against its signature, with every default filled in.

    Args:
        component: The class of the component.
        where: What the options belong to, for messages, such as `model.prior (prior 'mixture')`.
        options: The options that were set.
        given: The parameters that the builder hands in; setting one is an error.

    Raises:
        ConfigError: If an option is unknown, missing, out of its bounds, or handed in by the builder.
    """
    model = options_model(component, given)
    if handed := sorted(set(options) & set(given)):
        raise ConfigError(f"{where}: {handed[0]!r} is handed in by the builder and cannot be set here. Remove it.")
    try:
        filled = model.model_validate(dict(options))
    except ValidationError as error:
        raise ConfigError(explain(error, where, list(model.model_fields))) from error
    return {name: getattr(filled, name) for name in model.model_fields}


def explain(error: ValidationError, where: str, known: Collection[str] = ()) -> str:
    """Returns a validation error in plain sentences, one a line: the place, what was given, what is allowed.

    Args:
        error: The error of pydantic.
        where: What stands before the dotted path of each place; empty for none.
        known: The allowed keys at the top, for errors about unknown ones.
    """
    return "\n".join(_sentence(dict(details), where, known) for details in error.errors(include_url=False))


def _sentence(details: dict[str, Any], where: str, known: Collection[str]) -> str:
    path = ".".join(str(part) for part in details["loc"])
    place = ": ".join(part for part in (where, path) if part) or "configuration"
    if details["type"] == "extra_forbidden":
        name = str(details["loc"][-1])
        allowed = f" Allowed: {', '.join(sorted(known))}.{near_match(name, known)}" if known else ""
        return f"{place}: unknown option {name!r}.{allowed}"
    if details["type"] == "missing":
        return f"{place}: this option is required and was not given."
    message = details["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" + ("" if details["type"] == "value_error" else f" (got {details['input']!r})") + "."
