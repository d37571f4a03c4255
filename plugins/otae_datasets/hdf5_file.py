"""Arrays of an HDF5 file, read without following what leads out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from otae.errors import DataError


def find_array(file: Any, key: str, path: Path, cure: str = "Fetch it again") -> Any:
    """Returns an array of an open HDF5 file, an `h5py.Dataset`; no link to another file is followed.

    Args:
        file: The open file.
        key: The array's name, with those of its groups before it.
        path: The file's path, for messages.
        cure: What to do where it is not there.

    Raises:
        DataError: If there is no such array, or its values lie in another file.
    """
    import h5py

    member = find_member(file, key, path)
    if not isinstance(member, h5py.Dataset):
        raise DataError(f"'{path}' lacks the array {key!r}; it holds: {', '.join(file) or 'none'}. {cure}.")
    if member.external or member.is_virtual:
        raise _lies_elsewhere(key, path)
    return member


def find_member(file: Any, key: str, path: Path) -> Any:
    """Returns what an open HDF5 file holds under a name, an array or a group, or `None`; no link to another file is followed.

    Args:
        file: The open file.
        key: The name, with those of its groups before it.
        path: The file's path, for messages.

    Raises:
        DataError: If it lies in another file.
    """
    import h5py

    member = file
    for name in key.split("/"):
        if not isinstance(member, h5py.Group):
            return None
        link = member.get(name, getlink=True)
        if not (link is None or isinstance(link, h5py.HardLink)):  # asked before a link is followed
            raise _lies_elsewhere(key, path)
        member = member.get(name)
    return member


def _lies_elsewhere(key: str, path: Path) -> DataError:
    return DataError(
        f"'{path}' keeps the array {key!r} in another file, which is not read: a file of a stranger could show any file of yours "
        "as data. Copy the array into the file."
    )
