"""Recipes, the configurations that distributions ship, and the way from a name or a file to an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .build import resolve
from .config import Experiment, parse
from .errors import ConfigError, PluginConflictError, UnknownPluginError
from .overrides import overridden, read_yaml
from .registry import Offer, offers

GROUP = "otae.recipes"


@dataclass(frozen=True, order=True)
class Recipe:
    """Creates a configuration that a distribution ships.

    Args:
        name: The recipe's name: its file's, without the suffix.
        offer: The distribution that ships it.
        path: The YAML file.
    """

    name: str
    offer: Offer
    path: Path

    @property
    def summary(self) -> str:
        """Returns the first comment line of the file, which says what the recipe is."""
        first = self.path.read_text(encoding="utf-8").partition("\n")[0]
        return first.removeprefix("#").strip() if first.startswith("#") else ""


def recipes() -> list[Recipe]:
    """Returns every recipe on offer, sorted by name; no package is imported."""
    return sorted(
        Recipe(path.stem, offer, path)
        for offer in offers(GROUP)
        for folder in _folders(offer.value)
        for path in folder.glob("*.yaml")
    )


def _folders(package: str) -> list[Path]:
    try:
        spec = find_spec(package)
    except ModuleNotFoundError:
        spec = None
    return [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []


def recipe(name: str) -> Recipe:
    """Returns the one recipe of a name.

    Args:
        name: The recipe's name.

    Raises:
        UnknownPluginError: If nobody ships it.
        PluginConflictError: If several distributions do.
    """
    shipped = recipes()
    found = [candidate for candidate in shipped if candidate.name == name]
    if not found:
        raise UnknownPluginError(name, GROUP, {candidate.name for candidate in shipped})
    if len(found) > 1:
        raise PluginConflictError(name, GROUP, [f"{each.offer.origin} ({each.path})" for each in found])
    return found[0]


def load_config(source: str | Path | Mapping[str, Any], overrides: Iterable[str] = ()) -> Experiment:
    """Returns an experiment, checked as a whole, with every default filled in; no data are read.

    Args:
        source: The name of a recipe, the path of a YAML file or of a run's folder, or plain values.
        overrides: Dotted overrides with YAML values, such as `model.prior.name=mixture`.

    Raises:
        ConfigError: If a key, an option or a value is not allowed, or the file cannot be read.
        PluginError: If a plugin or the recipe is unknown, broken, or offered twice.

    Example:
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
    title = path.parent.name if path.name == "config.yaml" else path.stem
    values = read_yaml(_text(path), str(path))
    return resolve(parse(overridden(values, overrides), str(path))).titled(title)


def _is_path(source: str | Path, path: Path) -> bool:
    return isinstance(source, Path) or path.suffix in {".yaml", ".yml"} or len(path.parts) > 1 or path.is_dir()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"Cannot read the configuration {path}: {reason}. Give the name of a recipe or a YAML file.") from error
