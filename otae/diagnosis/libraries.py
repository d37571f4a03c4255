"""The versions of Python, otae and all libraries that it needs."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from .finding import Finding

_TOPIC = "libraries"


def libraries(distribution: str = "otae") -> Iterator[Finding]:
    """Yields the version of Python, of a distribution, and of each library that it needs, held against what it asks for.

    Args:
        distribution: The distribution.
    """
    yield Finding(_TOPIC, "python", f"{platform.python_version()} on {platform.platform(terse=True)}")
    yield Finding(_TOPIC, distribution, version(distribution))
    for text in requires(distribution) or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _library(requirement)


def _library(requirement: Requirement) -> Finding:
    cure = f"pip install '{requirement}'"
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return Finding(_TOPIC, requirement.name, "not installed", "broken", cure)
    if requirement.specifier.contains(installed, prereleases=True):
        return Finding(_TOPIC, requirement.name, installed)
    return Finding(_TOPIC, requirement.name, f"{installed}, but {requirement.specifier} is needed", "broken", cure)
