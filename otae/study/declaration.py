"""The declaration of a study: its keys, their types, and the way in from YAML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from ..config import Component, Section, SplitName
from ..errors import ConfigError
from ..explanation import explain, find_place
from ..extending import text as read_text
from ..yaml_values import Integer, Real, read_yaml
from .places import find_lines, line_of

_Seed = Annotated[int, Field(ge=0, lt=2**32)]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _seeds(value: Any) -> Any:
    return list(range(value)) if isinstance(value, int) and not isinstance(value, bool) else value


def _options(value: Any) -> Any:
    """Returns overrides as a mapping: `[path=value, …]` says the same as `{path: value, …}`; nothing changes nothing."""
    if value is None:
        return {}
    if not isinstance(value, list) or not all(isinstance(each, str) and "=" in each for each in value):
        return value
    pairs = [each.partition("=") for each in value]
    return {path.strip(): read_yaml(told, path) for path, _, told in pairs}


def _unrepeated(seeds: list[int]) -> list[int]:
    if repeated := sorted({seed for seed in seeds if seeds.count(seed) > 1}):
        raise ValueError(f"the seed {repeated[0]} is given twice")
    return seeds


def _without_seed(options: dict[str, Any]) -> dict[str, Any]:
    if "seed" in options:
        raise ValueError("the seed is no option here: give all seeds under the key seeds")
    return options


_Options = Annotated[dict[str, Any], BeforeValidator(_options), AfterValidator(_without_seed)]


class Declaration(Section):
    """Creates the declaration of a study: every variant, at every value of the grid, with every seed.

    Attributes:
        title: What the study is called; its file's name if left out.
        base: The recipes, configuration files or runs that the points begin as.
        set: Options of all points, by dotted path.
        seeds: The seeds, or their number.
        variants: Options by dotted path, under a name; `base` among them takes another recipe or file.
        grid: Values to go through, by dotted path.
        metrics: The figures that are compared, as for `otae compare`; every headline if left out.
        split: The split that is compared; `test` if left out, where all have it.
        executor: Where the points are trained.
    """

    title: str | None = None
    base: Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
    set: _Options = Field(default_factory=dict)
    seeds: Annotated[list[_Seed], BeforeValidator(_seeds), AfterValidator(_unrepeated), Field(min_length=1)] = Field(
        default_factory=lambda: [0]
    )
    variants: dict[str, _Options] = Field(default_factory=dict)
    grid: Annotated[dict[str, Annotated[list[Any], Field(min_length=1)]], AfterValidator(_without_seed)] = Field(
        default_factory=dict
    )
    metrics: Annotated[list[str], BeforeValidator(_listed)] | None = None
    split: SplitName | None = None
    executor: Component = Field(default_factory=lambda: Component(name="local"))


@dataclass(frozen=True)
class Source:
    """Holds a declaration and where it came from.

    Args:
        declaration: The declaration.
        where: The file, or `study` for one made on the command line or in Python.
        folder: The folder that its relative paths start at.
        lines: The line of each of its values; empty where there is no file.
    """

    declaration: Declaration
    where: str = "study"
    folder: Path = Path()
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Returns what the study is called."""
        return self.declaration.title or (Path(self.where).stem if self.lines else " and ".join(self.declaration.base))

    def place(self, *path: str | int) -> str:
        """Returns where a value stands, for messages: file, line and path.

        Args:
            path: The keys and numbers that lead to it.
        """
        dotted = ".".join(map(str, path))
        head = f"{self.where}:{line_of(path, dict(self.lines))}" if self.lines else self.where
        return f"{head}: {dotted}" if dotted else head


def read_declaration(path: Path, changes: Mapping[str, Any] | None = None) -> Source:
    """Returns the declaration that a YAML file holds.

    Args:
        path: The file.
        changes: What holds instead of what the file says; options under `set` and `grid` are added to the file's.

    Raises:
        ConfigError: If it cannot be read, is no YAML, or has an unknown key or a value that is not allowed; the message
            names file, line and path.
    """
    told = read_text(path)
    values = read_yaml(told, str(path))
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path}: a study is a mapping with the keys {', '.join(Declaration.model_fields)}.")
    merged = dict(values)
    for key, value in (changes or {}).items():
        former = merged.get(key)
        merged[key] = {**former, **value} if isinstance(former, Mapping) and isinstance(value, Mapping) else value
    return declare(merged, str(path), path.parent, find_lines(told))


def declare(
    values: Mapping[str, Any], where: str = "study", folder: Path = Path(), lines: Mapping[Any, int] | None = None
) -> Source:
    """Returns the declaration that plain values describe.

    Args:
        values: The values.
        where: Where they came from, for messages.
        folder: The folder that relative paths start at.
        lines: The line of each value, where they came from a file.

    Raises:
        ConfigError: If a key is unknown or missing, or a value is not allowed.
    """
    known = dict(lines or {})
    try:
        return Source(Declaration.model_validate(dict(values)), where, folder, known)
    except ValidationError as error:
        raise ConfigError("\n".join(_sentences(error, where, known, values))) from error


def _sentences(error: ValidationError, where: str, lines: dict[Any, int], values: Mapping[str, Any]) -> Iterable[str]:
    plain = explain(error, "", Declaration, values=values).splitlines()
    places = dict.fromkeys(find_place(details, values) for details in error.errors(include_url=False))
    for place, sentence in zip(places, plain, strict=True):
        yield f"{where}:{line_of(place, lines)}: {sentence}" if lines else f"{where}: {sentence}"


def as_override(path: str, value: Any) -> str:
    """Returns an option as a dotted override.

    Args:
        path: The option's path.
        value: Its value.
    """
    return f"{path}={value.text if isinstance(value, Integer | Real) else json.dumps(value)}"
