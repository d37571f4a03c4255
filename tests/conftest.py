"""Fixtures of all tests: fakes at the plugin door, and an experiment made of them."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fakes import EXPERIMENT, FAKES  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _fakes() -> Iterator[None]:
    for registry, name, plugin in FAKES:
        registry.register(name, plugin)
    yield
    for registry, name, _ in FAKES:
        registry.unregister(name)


@pytest.fixture
def values() -> dict[str, Any]:
    """Returns the plain values of a small experiment made of fakes."""
    return copy.deepcopy(EXPERIMENT)
