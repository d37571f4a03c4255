"""Configurations that begin with others: `extends`, one after the other, and what follows merged onto them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import ConfigError, PluginError
from .overrides import merged
from .recipes import recipe
from .yaml_values import read_yaml

KEY = "extends"


def is_path(source: str) -> bool:
    """Returns whether a source of configurations reads as a path, and not as the name of a recipe.

    Args:
        source: What was given.
    """
    return Path(source).suffix in {".yaml", ".yml"} or len(Path(source).parts) > 1


def read(path: Path) -> Any:
    """Returns the values of a configuration file, those that it extends included.

    Args:
        path: The file.

    Raises:
        ConfigError: If a file cannot be read, extends what is not there, or extends itself.
    """
    return _extended(_values(path), [path])


def extended(values: Any, where: str) -> Any:
    """Returns plain values merged onto those that they extend, without the key `extends`.

    Args:
        values: A mapping, in which a relative path starts at the working directory.
        where: Where it came from, for messages.

    Raises:
        ConfigError: If a file cannot be read, extends what is not there, or extends itself.
    """
    return _extended(values, [], where)


def _extended(values: Any, chain: list[Path], where: str = "") -> Any:
    if not isinstance(values, Mapping) or KEY not in values:
        return values
    folder, place, sources = chain[-1].parent if chain else Path(), where or str(chain[-1]), values[KEY]
    result: Any = None
    for source in sources if isinstance(sources, list) and sources else [sources]:
        base = _base(source, folder, place)
        if base.resolve() in (seen := [path.resolve() for path in chain]):
            circle = " extends ".join(str(path) for path in [*chain[seen.index(base.resolve()) :], base])
            raise ConfigError(f"{circle}: a configuration cannot extend itself. Take one `{KEY}` out.")
        result = merged(result, _extended(_values(base), [*chain, base]))
    return merged(result, {key: value for key, value in values.items() if key != KEY})


def _base(source: Any, folder: Path, where: str) -> Path:
    if not isinstance(source, str):
        raise ConfigError(f"{where}: {KEY}: name a recipe or YAML file, or several in a list, got {source!r}.")
    path = folder / Path(source).expanduser()
    try:
        found = path if is_path(source) else recipe(source).path
    except PluginError as error:
        raise ConfigError(f"{where}: {KEY}: {error} A file is named with its suffix, .yaml.") from error
    found = found / "config.yaml" if found.is_dir() else found
    if not found.is_file():
        raise ConfigError(
            f"{where}: {KEY}: there is no file {found}. Name a recipe, or a YAML file relative to this one."
        )
    return found


def _values(path: Path) -> Any:
    values = read_yaml(text(path), str(path))
    if values is not None and not isinstance(values, Mapping):
        raise ConfigError(f"{path}: a configuration is a mapping of keys to values, got {type(values).__name__}.")
    return values


def text(path: Path) -> str:
    """Returns the text of a configuration file.

    Args:
        path: The file.

    Raises:
        ConfigError: If it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            f"Cannot read the configuration {path}: {reason}. Give the name of a recipe or a YAML file."
        ) from error
