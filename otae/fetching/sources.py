"""The sources that the installed datasets name."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import ConfigError, PluginError, unknown_name
from ..interfaces import Source
from ..registry import datasets


@dataclass(frozen=True)
class Entry:
    """Creates a source and the dataset that names it.

    Args:
        dataset: The dataset's name.
        source: The source.
    """

    dataset: str
    source: Source


def entries() -> list[Entry]:
    """Returns every source of every installed dataset, sorted by name; a dataset that cannot be used is left out."""
    return sorted(_found(), key=lambda entry: (entry.source.name, entry.dataset))


def entry(name: str) -> Entry:
    """Returns the entry of a source.

    Args:
        name: The source's name.

    Raises:
        ConfigError: If no dataset names it, or several do.
    """
    listed = entries()
    found = [each for each in listed if each.source.name == name]
    if not found:
        raise ConfigError(unknown_name("source of data", name, {each.source.name for each in listed}))
    if len({each.source for each in found}) > 1:
        rivals = ", ".join(each.dataset for each in found)
        raise ConfigError(f"The source {name!r} is named differently by several datasets: {rivals}. Uninstall one.")
    return found[0]


def _found() -> Iterator[Entry]:
    for name in datasets.names():
        try:
            plugin = datasets.get(name)
        except PluginError as error:  # a stranger's dataset must not spoil the fetching of another
            warnings.warn(f"The dataset {name!r} is skipped. {error}", stacklevel=3)
            continue
        yield from (Entry(name, source) for source in plugin.sources)
