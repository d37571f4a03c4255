"""The way from a recipe's name or a file to a checked experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .build import resolve
from .config import Experiment, parse
from .errors import ConfigError
from .overrides import overridden, read_yaml
from .recipes import recipe


def load_config(source: str | Path | Mapping[str, Any], overrides: Iterable[str] = ()) -> Experiment:
    """Returns an experiment, checked as a whole, with every default filled in; no data are read.

    Args:
        source: The name of a recipe, the path of a YAML file or of a run's folder, or plain values.
        overrides: Dotted overrides with YAML values, such as `model.prior.name=mixture`.

    Raises:
        ConfigError: If a key, an option or a value is not allowed, or the file cannot be read.
        PluginError: If a plugin or the recipe is unknown, broken, or offered twice.

    Examples:
        >>> load_config("gwae", overrides=["model.prior=mixture"]).model.prior.name
        'mixture'
    """
    if isinstance(source, Mapping):
        return resolve(parse(overridden(dict(source), overrides), "configuration"))
    path = Path(source).expanduser()
    if not _is_path(source, path):
        path = recipe(str(source)).path
    elif path.is_dir():
        path = path / "config.yaml"
    title = path.resolve().parent.name if path.name == "config.yaml" else path.stem
    values = read_yaml(_text(path), str(path))
    return resolve(parse(overridden(values, overrides), str(path))).titled(title)


def _is_path(source: str | Path, path: Path) -> bool:
    return (
        isinstance(source, Path)
        or path.suffix in {".yaml", ".yml"}
        or len(path.parts) > 1
        or (path / "config.yaml").is_file()
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            f"Cannot read the configuration {path}: {reason}. Give the name of a recipe or a YAML file."
        ) from error
