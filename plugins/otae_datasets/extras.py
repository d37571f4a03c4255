"""Packages that only some datasets need, imported when one of these is opened."""

from __future__ import annotations

import importlib
from typing import Any

from otae.errors import ConfigError


def needed(package: str, extra: str) -> Any:
    """Returns a package that otae is installed without.

    Args:
        package: The package, such as `h5py`.
        extra: The extra of otae that brings it.

    Raises:
        ConfigError: If it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        name = package.partition(".")[0]
        raise ConfigError(
            f"This needs the package {name!r}, which cannot be imported ({error}). {_cure(extra)}"
        ) from error


def _cure(extra: str) -> str:
    return f"Install it with: pip install 'otae[{extra}]'."
