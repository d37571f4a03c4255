"""From a user's path to a file or folder that is there."""

from __future__ import annotations

from pathlib import Path

from otae.errors import DataError


def existing_file(path: str | Path) -> Path:
    """Returns the absolute path of a file.

    Args:
        path: The path; `~` is the home folder, and a relative path starts at the working directory.

    Raises:
        DataError: If there is no such file.
    """
    found = _existing(path, "file")
    if found.is_dir():
        raise DataError(f"'{found}' is a folder, where a file is needed. For pictures use the dataset `images`.")
    return found


def existing_folder(path: str | Path) -> Path:
    """Returns the absolute path of a folder.

    Args:
        path: The path; `~` is the home folder, and a relative path starts at the working directory.

    Raises:
        DataError: If there is no such folder.
    """
    found = _existing(path, "folder")
    if not found.is_dir():
        raise DataError(f"'{found}' is a file, where a folder is needed. For NumPy files use the dataset `arrays`.")
    return found


def _existing(path: str | Path, what: str) -> Path:
    full = Path(path).expanduser().absolute()
    if not full.exists():
        cure = f"Check the path; a relative one starts at the working directory, '{Path.cwd()}'"
        raise DataError(f"There is no {what} '{full}'. {cure}.")
    return full
