"""The names of a new plugin: its own, and those of its distribution, package, module and class."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from ..discovery import Offer
from ..errors import ConfigError, PluginError
from ..names import require_plugin_name
from ..recipes import recipes
from ..registry import registries


@dataclass(frozen=True)
class Name:
    """Creates the names that follow from a plugin's.

    Args:
        plugin: The plugin's name, in kebab-case.
    """

    plugin: str

    @property
    def distribution(self) -> str:
        """Returns the name that pip knows."""
        return f"otae-{self.plugin}"

    @property
    def package(self) -> str:
        """Returns the name that Python imports."""
        return self.distribution.replace("-", "_")

    @property
    def module(self) -> str:
        """Returns the name of the file of the class."""
        return self.plugin.replace("-", "_")

    @property
    def cls(self) -> str:
        """Returns the name of the class."""
        return "".join(word.capitalize() for word in self.plugin.split("-"))


def checked(kind: str, text: str) -> Name:
    """Returns the names of a plugin that may be written.

    Args:
        kind: Its kind, such as `prior`.
        text: Its name.

    Raises:
        ConfigError: If it is no kebab-case, no name in Python or YAML, or somebody has it already.
    """
    try:
        require_plugin_name(kind, text)
    except PluginError as error:
        raise ConfigError(str(error)) from error
    name = Name(text)
    if offer := next((each for each in _offers(kind) if each.name == text), None):
        raise ConfigError(f"The {kind} {text!r} is offered by {offer.origin} already: take another name.")
    if find_spec(name.package) is not None:
        raise ConfigError(f"The package {name.package!r} is installed already: take another name than {text!r}.")
    return name


def _offers(kind: str) -> list[Offer]:
    shipped = [Offer(each.name, each.offer.distribution, each.offer.version, "") for each in recipes()]
    return shipped if kind == "recipe" else registries()[kind].offers()
