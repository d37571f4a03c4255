"""Shell completion of the names of recipes and plugins; nothing heavy is imported."""

from __future__ import annotations

from typing import Any

from ..recipes import recipes
from ..registry import registries

EVERY_KIND = f"{', '.join(registries())} or recipe"
"""The kinds of parts, for the help of a command."""


def recipe_names(incomplete: str) -> list[str]:
    """Returns the recipes whose names begin so.

    Args:
        incomplete: What was typed.
    """
    return [each.name for each in recipes() if each.name.startswith(incomplete)]


def kinds(incomplete: str) -> list[str]:
    """Returns the kinds of parts whose names begin so.

    Args:
        incomplete: What was typed.
    """
    return [kind for kind in (*registries(), "recipe") if kind.startswith(incomplete)]


def plugin_names(ctx: Any, incomplete: str) -> list[str]:
    """Returns the plugins of the kind typed before, whose names begin so.

    Args:
        ctx: The command's context.
        incomplete: What was typed.
    """
    kind = ctx.params.get("kind") or ""
    if kind == "recipe":
        return recipe_names(incomplete)
    registry = registries().get(kind)
    return [name for name in registry.names() if name.startswith(incomplete)] if registry else []
