"""YAML text as plain values: numbers that remember how they were written, and nothing that only YAML 1.1 took for one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Self

import yaml
from pydantic import BaseModel

from .errors import ConfigError

_LONGEST_TEXT, _DEEPEST, _MOST_VALUES = 1_000_000, 40, 100_000


class Written:
    """Abstract base of numbers with their text, which is what an option of text gets.

    Args:
        value: The number.
        text: The text.
    """

    text: str

    def __new__(cls, value: float, text: str) -> Self:
        number = super().__new__(cls, value)  # type: ignore[call-arg]  # that of the kind of number
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.real, self.text)  # type: ignore[attr-defined]  # the plain number


class Integer(Written, int):
    """Holds a whole number with its text: a folder `2024` or a column `007`."""


class Real(Written, float):
    """Holds a real number with its text: a label `1e5`."""


def forget_text(value: Any) -> Any:
    """Returns a checked value whose numbers are plain ones; extra fields of models keep theirs, until they are checked.

    Args:
        value: A number, text, a model, or a container of these.
    """
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            value.__dict__[name] = forget_text(value.__dict__[name])
    elif type(value) in (list, tuple):
        return type(value)(forget_text(each) for each in value)
    elif type(value) is dict:
        return {forget_text(key): forget_text(each) for key, each in value.items()}
    return value.real if isinstance(value, Written) else value  # type: ignore[attr-defined]  # the plain number


class _Loader(yaml.SafeLoader):
    """Creates a safe YAML loader that refuses a key given twice.

    Plain text is a number, true, false or null as in YAML 1.2: `no`, `on`, `2024-01-05`, `1_000` and `1:30` are text.
    """

    yaml_implicit_resolvers: Any = {}  # noqa: RUF012 - the base class shares its own otherwise

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        nodes = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        keys = [self.construct_object(key, deep=True) for key in nodes]
        for position, (key, key_node) in enumerate(zip(keys, nodes, strict=True)):
            if key in keys[:position]:
                problem = f"the key {key!r} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: Any) -> int:
        text = self.construct_scalar(node)
        plain = str(text).lower().lstrip("+-")
        base = 16 if plain.startswith("0x") else 8 if plain.startswith("0o") else 10
        return Integer(int(str(text), base), str(text))

    def construct_yaml_float(self, node: Any) -> float:
        text = str(self.construct_scalar(node))
        return Real(float(text.lower().replace(".inf", "inf").replace(".nan", "nan")), text)


_RESOLVERS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?\d+|0x[0-9a-fA-F]+|0o[0-7]+", list("-+0123456789")),
    "float": (
        r"[-+]?(\.\d+|\d+\.\d*)([eE][-+]?\d+)?|[-+]?\d+[eE][-+]?\d+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    "merge": (r"<<", ["<"]),
}
for _tag, (_pattern, _starts) in _RESOLVERS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _starts)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def read_yaml(text: str, where: str) -> Any:
    """Returns what YAML text says, as plain values; numbers remember their text.

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


def read_setting(text: str, where: str) -> Any:
    """Returns what the value of an override says; what can only be text there, such as `|`, `#1` or `@home`, is text.

    Args:
        text: The value, in YAML.
        where: Where it came from, for messages.

    Raises:
        ConfigError: If the text is no YAML.
    """
    plain = text.strip()
    return plain if plain and (plain[0] in "|>%@`#" or plain in "*&!?-:") else read_yaml(text, where)


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
