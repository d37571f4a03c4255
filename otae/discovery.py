"""What the installed distributions offer at the plugin door, read from their entry points; nothing is imported."""

from __future__ import annotations

import os
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points

_OURS = "otae."


@dataclass(frozen=True, order=True)
class Offer:
    """Creates one name that a distribution offers at the plugin door.

    Args:
        name: The plugin's name.
        distribution: The distribution that offers it; `session` for one registered in this process.
        version: That distribution's version.
        value: Where it is found, as `package.module:Class`, or a package for recipes.
    """

    name: str
    distribution: str
    version: str
    value: str

    @property
    def origin(self) -> str:
        """Returns the distribution and version, such as `otae 0.1.0`."""
        return f"{self.distribution} {self.version}".strip()


def offers(group: str) -> list[Offer]:
    """Returns what the installed distributions offer in an entry-point group, sorted, without importing any.

    Args:
        group: The entry-point group, such as `otae.priors`.
    """
    return list(_scan(tuple(map(_age, sys.path))).get(group, ()))


@cache
def _scan(ages: tuple[tuple[str, int], ...]) -> dict[str, list[Offer]]:  # noqa: ARG001 - the cache's key
    """Returns every offer by its group, each distribution's files read once."""
    found: defaultdict[str, set[Offer]] = defaultdict(set)
    name = cache(_origin)
    for point in _points():
        found[point.group].add(Offer(point.name, *name(point.dist), point.value))
    return {group: sorted(each) for group, each in found.items()}


def _points() -> Iterator[EntryPoint]:
    try:
        points = entry_points()  # of two copies of a distribution, the first on sys.path, as for an import
    except Exception:  # a stranger's malformed file spoils them all: read each by itself
        yield from (point for point in _sound_points() if point.group.startswith(_OURS))
    else:
        for group in points.groups:
            yield from points.select(group=group) if group.startswith(_OURS) else ()


def _sound_points() -> Iterator[EntryPoint]:
    seen: set[str] = set()
    for distribution in distributions():
        name = _origin(distribution)[0].lower().replace("_", "-")
        try:
            yield from () if name in seen else distribution.entry_points
        except Exception as error:
            place = f"{name} in {distribution.locate_file('')}"
            warnings.warn(
                f"The plugins of {place} are ignored: its entry_points.txt cannot be read ({error}).", stacklevel=2
            )
        seen.add(name)


def _age(folder: str) -> tuple[str, int]:
    """Returns when a folder of sys.path last changed, as it does when a distribution comes or goes."""
    try:
        return folder, os.stat(folder or ".").st_mtime_ns
    except OSError:
        return folder, 0


def _origin(distribution: Distribution | None) -> tuple[str, str]:
    if distribution is None:
        return "unknown", ""
    try:
        metadata = distribution.metadata
        name, version = (str(metadata[key]) if key in metadata else "" for key in ("Name", "Version"))
    except Exception:  # its METADATA is gone, as after a broken uninstallation
        return "unknown", ""
    return name or "unknown", version
