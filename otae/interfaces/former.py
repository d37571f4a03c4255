"""Options that a class has no longer, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Any

from ..errors import ConfigError


def refuse_former(plugin: type, options: Mapping[str, Any], where: str = "") -> None:
    """Checks that no option is one that the class had once.

    Args:
        plugin: The class; its attribute `former` holds what to write instead of each such option, `VALUE` for its value.
        options: The options that were set.
        where: What they belong to, for messages; the class where left out.

    Raises:
        ConfigError: If one of them is.
    """
    former: Mapping[str, str] = getattr(plugin, "former", {})
    for name, value in options.items():
        if name in former:
            new = former[name].replace("VALUE", str(list(value)) if isinstance(value, tuple) else str(value))
            raise ConfigError(f"{where or plugin.__name__}: the option {name!r} has moved. Write {new} instead.")


def refuse_when_constructed(plugin: type) -> None:
    """Makes a class refuse the options that it had once by name, where Python would only say that they are unexpected.

    Args:
        plugin: The class.
    """
    construct = plugin.__init__  # type: ignore[misc]  # a class, no instance

    @wraps(construct)
    def checked(self: Any, *args: Any, **options: Any) -> None:
        refuse_former(type(self), options)
        construct(self, *args, **options)

    plugin.__init__ = checked  # type: ignore[misc]
