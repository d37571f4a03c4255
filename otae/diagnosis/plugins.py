"""The health of every plugin, found by importing it and reading its options."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from ..errors import OtaeError, PluginConflictError
from ..loading import load_config
from ..recipes import recipes
from ..registry import Offer, Registry, registries
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
    yield from (_broken(kind, offer, trouble) for kind, offer, trouble in checked if trouble)


def _parts() -> Iterator[tuple[str, Offer, OtaeError | None]]:
    for registry in registries().values():
        for offer in registry.offers():
            yield registry.kind, offer, _trouble(registry, offer.name)


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
    if isinstance(trouble, PluginConflictError):
        cure = "uninstall one of them"
    return Finding(_TOPIC, f"{kind} {offer.name}", str(trouble), "broken", cure)


def _ignored(message: str) -> Finding:
    return Finding(_TOPIC, "entry points", message, "broken", "reinstall that distribution, or uninstall it")
