"""Importing libraries that import KeOps by themselves, without its words on the standard output."""

from __future__ import annotations

import importlib
import io
from contextlib import redirect_stdout, suppress
from typing import Any

from ...errors import BackendError
from .. import keops


def load_library(name: str) -> Any:
    """Returns a library that imports KeOps where it is installed, as `ot` and `geomloss` do, imported in silence.

    Args:
        name: The library's name, such as `ot`.
    """
    with suppress(BackendError):  # it cannot be loaded: the library does without
        keops.load()
    with redirect_stdout(io.StringIO()):
        return importlib.import_module(name)
