"""Recipes: the configurations that distributions ship."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .discovery import Offer, offers
from .errors import PluginConflictError, UnknownPluginError

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
    except Exception:  # the plugin door: of a dotted name the parents are imported, and a stranger's may raise anything
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
