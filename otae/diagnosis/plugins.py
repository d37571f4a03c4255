"""The health of every plugin, found by importing it and reading its options."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from ..discovery import Offer
from ..errors import OtaeError, PluginConflictError
from ..health import find_source
from ..loading import load_config
from ..recipes import recipes
from ..registry import Registry, registries
from ..signature import options_model
from .finding import Finding

_TOPIC = "plugins"


def plugins() -> Iterator[Finding]:
    """Yields one finding for each distribution that offers plugins, and one for each plugin that cannot be used."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        checked = [*_parts(), *_recipes()]
    messages = dict.fromkeys(str(each.message) for each in told)  # each group is scanned, and each scan warns
    yield from (_ignored(message) for message in messages if "entry_points.txt" in message)
    for origin in dict.fromkeys(offer.origin for _, offer, _ in checked):
        broken = [trouble for _, offer, trouble in checked if offer.origin == origin and trouble]
        count = sum(offer.origin == origin for _, offer, _ in checked) - len(broken)
        yield Finding(_TOPIC, origin, f"{count} plugins in good health")
    for kind, offer, trouble in checked:
        if trouble and not (kind == "recipe" and isinstance(trouble, PluginConflictError)):  # the clash itself is told
            yield _broken(kind, offer, trouble)


def _parts() -> Iterator[tuple[str, Offer, OtaeError | None]]:
    for registry in registries().values():
        told: set[str] = set()
        for offer in registry.offers():
            trouble = _trouble(registry, offer.name)
            if isinstance(trouble, PluginConflictError):
                if offer.name in told:
                    continue  # the others of a clash are named by the first
                told.add(offer.name)
            yield registry.kind, offer, trouble


def _trouble(registry: Registry[Any], name: str) -> OtaeError | None:
    try:
        options_model(registry.get(name), registry.given)
    except OtaeError as error:
        return error
    return None


def _recipes() -> Iterator[tuple[str, Offer, OtaeError | None]]:
    for each in recipes():
        named = Offer(each.name, each.offer.distribution, each.offer.version, str(each.path))
        try:
            load_config(each.name)
        except OtaeError as error:
            yield "recipe", named, error
        else:
            yield "recipe", named, None


def _broken(kind: str, offer: Offer, trouble: OtaeError) -> Finding:
    cure = f"pip install --upgrade {offer.distribution}, or pip uninstall {offer.distribution}"
    rivals = [offer]
    if isinstance(trouble, PluginConflictError):
        cure = "uninstall one of them"
        rivals = (
            [each for each in registries()[kind].offers() if each.name == offer.name] if kind in registries() else []
        )
    places = [f"{each.distribution} is at {place}" for each in rivals if (place := _find_place(each))]
    return Finding(
        _TOPIC, f"{kind} {offer.name}", " ".join([str(trouble), *(f"{each}." for each in places)]), "broken", cure
    )


def _find_place(offer: Offer) -> str | None:
    """Returns the file and line of a class that an editable distribution offers, or `None`; nothing is imported."""
    module, _, name = offer.value.partition(":")
    if not _is_editable(offer.distribution) or (path := find_source(module.strip())) is None:
        return None
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError):
        return str(path)
    lines = (node.lineno for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name.strip())
    line = next(lines, None)
    return f"{path}, line {line}" if line else str(path)


def _is_editable(name: str) -> bool:
    try:
        told = json.loads(distribution(name).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return False
    return bool(isinstance(told, dict) and told.get("dir_info", {}).get("editable"))


def _ignored(message: str) -> Finding:
    return Finding(_TOPIC, "entry points", message, "broken", "reinstall that distribution, or uninstall it")
