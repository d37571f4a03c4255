"""Where the points of a study are trained: on this machine, by Ray, or by Slurm."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, cast

from ...errors import ConfigError, unknown_name
from ...signature import validated
from .interface import Executor

__all__ = ["NAMES", "Executor", "create_executor"]

_HOMES = {"local": ("local", "Local", "joblib"), "ray": ("ray", "Ray", "ray"), "slurm": ("slurm", "Slurm", "submitit")}

#: The names of all executors
NAMES = tuple(_HOMES)


def create_executor(name: str, options: Mapping[str, Any], where: str = "executor") -> Executor:
    """Returns an executor.

    Args:
        name: Its name.
        options: Its options.
        where: Where they came from, for messages.

    Raises:
        ConfigError: If there is no such executor, its library is not installed, or an option is unknown or not allowed.
    """
    if name not in _HOMES:
        raise ConfigError(f"{where}: {unknown_name('executor', name, NAMES)}")
    module, kind, library = _HOMES[name]
    if find_spec(library) is None:
        raise ConfigError(f"{where}: the executor {name!r} needs {library}: pip install 'otae[{name}]'.")
    executor = getattr(importlib.import_module(f".{module}", __name__), kind)
    return cast("Executor", executor(**validated(executor, f"{where} ({name})", options)))
