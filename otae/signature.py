"""A component's typed `__init__` as a pydantic model of its options."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from .errors import ConfigError, PluginError
from .explanation import explain
from .interfaces.former import refuse_former
from .nested import configurable, is_component
from .yaml_values import forget_text

M = TypeVar("M", bound=BaseModel)

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
        hints = get_type_hints(component.__init__, include_extras=True)  # type: ignore[misc]  # a class, no instance
    except NameError as error:
        raise PluginError(f"The types of {where}.__init__ cannot be read: {error}. Import them at run time.") from error
    fields: dict[str, Any] = {}
    for name, parameter in parameters(component).items():
        if name in given:
            continue
        if parameter.kind in _VARIADIC:
            raise PluginError(
                f"{where}.__init__ takes *{name}: name and type every option, so that configs can be checked."
            )
        if name not in hints:
            meant = resembling(name, given)
            hint = f" If it is what the builder hands in, call it {meant!r}." if meant else ""
            raise PluginError(
                f"{where}.__init__ gives no type for {name!r}: annotate it, so that configs can be checked.{hint}"
            )
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[name] = (configurable(hints[name]), _made(default) if is_component(default) else default)
    try:
        config = ConfigDict(extra="forbid", allow_inf_nan=False, validate_default=False, coerce_numbers_to_str=True)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*shadows an attribute")  # an option may be named `copy`
            return create_model(component.__name__, __config__=config, **fields)
    except (PydanticSchemaGenerationError, PydanticUserError, NameError) as error:
        reason = str(error).splitlines()[0]
        raise PluginError(f"The options of {where} have a type that no configuration can fill: {reason}") from error


def _made(component: Any) -> Any:
    """Returns a default that is a component; it has no place in a JSON Schema."""
    return Field(default_factory=lambda: component)


def filled(
    component: type, where: str, options: Mapping[str, Any], given: Collection[str] = (), beside: Collection[str] = ()
) -> BaseModel:
    """Returns a component's options checked against its signature, with every default filled in.

    Args:
        component: The class of the component.
        where: What the options belong to, for messages, such as `model.prior (prior 'mixture')`.
        options: The options that were set.
        given: The parameters that the builder hands in; setting one is an error.
        beside: The keys that may stand beside the options, for messages.

    Raises:
        ConfigError: If an option is unknown, missing, out of its bounds, or handed in by the builder.
    """
    model = options_model(component, given)
    refuse_former(component, options, where)
    for name, field in model.model_fields.items():
        if field.is_required() and name not in options and (meant := resembling(name, given)):
            raise ConfigError(
                f"{where}: {name}: this option is required and was not given. If it is what the builder hands in, call the "
                f"argument {meant!r} in {component.__qualname__}.__init__."
            )
    if handed := sorted(set(options) & set(given)):
        raise ConfigError(f"{where}: {handed[0]!r} is handed in by the builder and cannot be set here. Remove it.")
    return check(model, dict(options), where, beside)


def resembling(name: str, given: Collection[str]) -> str | None:
    """Returns the argument that a builder hands in and whose name another one resembles, or `None`.

    Args:
        name: The name of an argument.
        given: The names that the builder hands in.

    Examples:
        >>> resembling("dim", ["latent_dim", "data_shape"])
        'latent_dim'
    """
    words = set(name.lower().split("_"))
    likely = {"latent_dim": {"dim", "dims", "latent", "zdim", "code"}, "data_shape": {"shape", "input", "data"}}
    likely |= {"value_range": {"range"}, "encoder": {"encoder"}, "shapes": {"shapes"}}
    hits = [each for each in given if each in likely and words & likely[each]]
    return next(iter([*hits, *get_close_matches(name, given, n=1, cutoff=0.75)]), None)


def check(model: type[M], values: Any, where: str, beside: Collection[str] = (), changed: Collection[str] = ()) -> M:
    """Returns values checked against a model; true and false are no numbers.

    Args:
        model: The model.
        values: The values.
        where: What they belong to, for messages.
        beside: The keys that may stand beside the model's own, for messages.
        changed: The dotted paths of overrides, which messages blame in place of `where` for what lies on them.

    Raises:
        ConfigError: If a key is unknown or missing, or a value is not allowed.
    """
    try:
        checked = model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(explain(error, where, model, beside, values, changed)) from error
    except (RecursionError, OverflowError, ValueError) as error:
        raise ConfigError(f"{where}: a value is not allowed: {error}.") from error
    for path in _truths_as_numbers(values, checked):
        raise ConfigError(f"{where}: {path}: a number is needed here, and true and false are none.")
    return cast(M, forget_text(checked))


def _truths_as_numbers(given: Any, checked: Any, path: str = "") -> Iterator[str]:
    """Yields the paths at which true or false was taken for a number."""
    if isinstance(given, bool):
        if not isinstance(checked, bool) and isinstance(checked, int | float):
            yield path
    elif isinstance(given, Mapping):
        for key, value in given.items():
            there = (
                getattr(checked, _field(checked, key), None) if isinstance(checked, BaseModel) else _item(checked, key)
            )
            yield from _truths_as_numbers(value, there, f"{path}.{key}" if path else str(key))
    elif isinstance(given, list | tuple) and isinstance(checked, list | tuple):
        for position, (value, there) in enumerate(zip(given, checked, strict=False)):
            yield from _truths_as_numbers(value, there, f"{path}.{position}")


def _field(model: BaseModel, key: Any) -> str:
    fields = type(model).model_fields.items()
    return next((name for name, field in fields if field.alias == key), str(key))


def _item(values: Any, key: Any) -> Any:
    return values.get(key) if isinstance(values, Mapping) else None


def validated(component: type, where: str, options: Mapping[str, Any], given: Collection[str] = ()) -> dict[str, Any]:
    """Returns the same options as `filled`, as arguments of the component's `__init__`.

    Args:
        component: The class of the component.
        where: What the options belong to, for messages.
        options: The options that were set.
        given: The parameters that the builder hands in.

    Raises:
        ConfigError: If an option is unknown, missing, out of its bounds, or handed in by the builder.
    """
    model = filled(component, where, options, given)
    return {name: getattr(model, name) for name in type(model).model_fields}


def handed(component: type, where: str, known: Mapping[str, Any], given: Collection[str]) -> dict[str, Any]:
    """Returns what the builder hands in, as arguments of the component's `__init__`: what it knows and that one names.

    Args:
        component: The class of the component.
        where: What the component is, for messages.
        known: What the builder knows, by name.
        given: The names that a builder may hand in.

    Raises:
        ConfigError: If the component needs something that the builder does not know.
    """
    named = {name: parameter for name, parameter in parameters(component).items() if name in given}
    for name, parameter in named.items():
        if name not in known and parameter.default is inspect.Parameter.empty:
            raise ConfigError(f"{where}: needs {name!r}, which was not given.")
    return {name: known[name] for name in named if name in known}
