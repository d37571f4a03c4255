"""Files that are either there as a whole or not at all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import ConfigError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Gives a path beside the final one to write to, and moves it there once the writing is done and on the disk.

    Args:
        path: The final path; its folder is made if need be.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield draft
        flush_to_disk(draft)
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def flush_to_disk(path: Path) -> None:
    """Waits until a file's content is on the disk, so that a power cut cannot leave an empty file under its name.

    Args:
        path: The file.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_writable(path: Path) -> None:
    """Checks that a file can be written, before the work that it will hold.

    Args:
        path: The file; its folder need not be there yet.

    Raises:
        ConfigError: If the folder cannot be written to.
    """
    folder = path.expanduser().absolute().parent
    ground = next(each for each in (folder, *folder.parents) if each.exists())
    if not (ground.is_dir() and os.access(ground, os.W_OK | os.X_OK)):
        raise ConfigError(
            f"{path} cannot be written: {ground} takes no file. Change its permissions, or choose another place."
        )


def stamp(path: Path) -> tuple[int, int, int] | None:
    """Returns what changes when a file is written or replaced: its number, size and time; `None` where there is none.

    Args:
        path: The file.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def write_text(path: Path, text: str) -> None:
    """Writes a text file in UTF-8, as a whole.

    Args:
        path: The file.
        text: What it shall hold.
    """
    with atomic(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_json(path: Path, values: Any) -> None:
    """Writes a JSON file, as a whole; a number that is not finite is an error.

    Args:
        path: The file.
        values: What it shall hold.
    """
    write_text(path, json.dumps(values, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Returns what a JSON file holds.

    Args:
        path: The file.

    Raises:
        ValueError: If it is no JSON in UTF-8.
    """
    return json.loads(path.read_text(encoding="utf-8"))


def file_name(title: str) -> str:
    """Returns a title as the name of a file or folder: letters, digits and `._=-`, all else as one hyphen.

    Args:
        title: The title.

    Examples:
        >>> file_name("wae-mmd, prior=mixture(components=20)")
        'wae-mmd-prior=mixture-components=20'
    """
    return re.sub(r"[^\w.=-]+", "-", title).strip("-.") or "untitled"
