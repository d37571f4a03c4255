"""From a user's path to a file or folder that is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from otae.errors import DataError
from otae.interfaces import Source, data_folder


def existing_file(path: str | Path, sources: Sequence[Source] = ()) -> Path:
    """Returns the absolute path of a file.

    Args:
        path: The path; `~` is the home folder, a relative path starts at the working directory, or else the data folder.
        sources: What could be fetched to have it, for the message.

    Raises:
        DataError: If there is no such file.
    """
    found = existing(path, "file", sources)
    if found.is_dir():
        raise DataError(f"'{found}' is a folder, where a file is needed. For pictures use the dataset `images`.")
    return found


def existing_folder(path: str | Path, sources: Sequence[Source] = ()) -> Path:
    """Returns the absolute path of a folder.

    Args:
        path: The path; `~` is the home folder, a relative path starts at the working directory, or else the data folder.
        sources: What could be fetched to have it, for the message.

    Raises:
        DataError: If there is no such folder.
    """
    found = existing(path, "folder", sources)
    if not found.is_dir():
        raise DataError(f"'{found}' is a file, where a folder is needed. For NumPy files use the dataset `arrays`.")
    return found


def existing(path: str | Path, what: str, sources: Sequence[Source] = ()) -> Path:
    """Returns the absolute path of a file or folder.

    Args:
        path: The path; `~` is the home folder, a relative path starts at the working directory, or else the data folder.
        what: What is needed there, for the message.
        sources: What could be fetched to have it, for the message.

    Raises:
        DataError: If there is nothing.
    """
    given, looked_at = Path(path).expanduser(), places(path)
    found = next((place for place in looked_at if place.exists()), None)
    if found is None:
        looked = ", nor ".join(f"'{place}'" for place in looked_at)
        start = f"a relative one starts at the working directory, '{Path.cwd()}', or at the data folder, OTAE_DATA"
        raise DataError(f"There is no {what} {looked}. {_fetching(given, sources)}Check the path; {start}.")
    return found


def places(path: str | Path) -> list[Path]:
    """Returns the absolute paths that a path may mean, in order: from the working directory, and from the data folder.

    Args:
        path: The path; `~` is the home folder, and an absolute one means itself alone.
    """
    given = Path(path).expanduser()
    return list(dict.fromkeys([given.absolute(), data_folder() / given]))


def _fetching(path: Path, sources: Sequence[Source]) -> str:
    named = [source for source in sources if any(path.name in file.path.split("/") for file in source.files)]
    commands = " or ".join(f"`otae data fetch {source.name}`" for source in named or sources)
    return f"Get the data with {commands}. " if commands else ""
