"""A file of NumPy, opened without trusting it."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from math import prod
from mmap import mmap
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.format import read_array_header_1_0, read_array_header_2_0, read_magic
from numpy.typing import NDArray

from otae.errors import DataError, unknown_name

from .memory_limit import require_memory
from .paths import existing_file

Array: TypeAlias = NDArray[Any]

_HEADERS = {(1, 0): read_array_header_1_0, (2, 0): read_array_header_2_0}
_DAMAGE = (ValueError, EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error)


class ArrayFile:
    """Creates a view of a `.npy` or `.npz` file; the kind is read off the contents, not the name.

    Args:
        path: The file.

    Attributes:
        path: The file's absolute path.
        keys: The names of the arrays in a `.npz` file; empty for a `.npy` file, whose only array has no name.

    Raises:
        DataError: If the file is missing, damaged, or of another kind.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = existing_file(path)
        with self._reading(), self.path.open("rb") as stream:
            start = stream.read(6)
        self._archive = start.startswith(b"PK")
        if not self._archive and start != b"\x93NUMPY":
            kind = "an empty file" if not start else "neither a .npy nor a .npz file"
            raise DataError(f"'{self.path}' is {kind}. Write it with numpy.save or numpy.savez.")
        with self._reading():
            self.keys = self._names() if self._archive else ()

    def choose(self, key: str | None, besides: Collection[str] = ()) -> str | None:
        """Returns the key of the array to read, `None` for the only array of a `.npy` file.

        Args:
            key: The key that was asked for, or `None` for the only array there is.
            besides: The keys that hold something else, such as the labels.

        Raises:
            DataError: If there is no such key, or several arrays and no key.
        """
        if key is not None:
            if not self._archive:
                raise DataError(f"'{self.path}' is a .npy file, whose array has no name. Drop the option key={key!r}.")
            if key not in self.keys:
                raise DataError(f"'{self.path}': {unknown_name('array', key, self.keys)}")
            return key
        others = [name for name in self.keys if name not in besides]
        if self._archive and len(others) != 1:
            held = ", ".join(others) or "no array"
            raise DataError(f"'{self.path}' must hold one array, but holds: {held}. Name the one to read by its key.")
        return others[0] if self._archive else None

    def read(self, key: str | None = None) -> Array:
        """Returns an array: a `.npy` file's as a read-only memory map, a `.npz` file's in memory.

        Args:
            key: The array's key, as `choose` returned it.

        Raises:
            DataError: If the array is damaged, holds Python objects, or does not fit into memory.
        """
        with self._reading():
            content = self._member(key) if self._archive else np.load(self.path, mmap_mode="r", allow_pickle=False)
        if not isinstance(content, np.ndarray):
            raise DataError(f"'{self.path}': {key!r} is no array. Write the file with numpy.savez.")
        return content

    def blocks(self, key: str) -> Iterator[tuple[Array, tuple[int, ...]]]:
        """Yields an array of a `.npz` file piece by piece along its first axis, each with the shape of the whole.

        Args:
            key: The array's key.

        Raises:
            DataError: If the array is damaged, holds Python objects or nothing, or is stored by columns.
        """
        with self._reading(), zipfile.ZipFile(self.path) as archive, archive.open(f"{key}.npy") as stream:
            header = _HEADERS.get(read_magic(stream))
            if header is None:
                raise ValueError(f"{key!r} is of an unknown version of the .npy format")
            shape, by_columns, dtype = header(stream)
            if dtype.hasobject or by_columns or 0 in (shape or (0,)):
                raise ValueError(
                    f"{key!r} of shape {shape} and type {dtype} holds no samples, or not one after the other"
                )
            size = prod(shape[1:]) * dtype.itemsize
            rows = max(1, 2**24 // size)
            for start in range(0, shape[0], rows):
                content = stream.read(min(rows, shape[0] - start) * size)
                yield np.frombuffer(content, dtype).reshape(-1, *shape[1:]), shape
            stream.read(1)  # the end, where the checksum is looked at

    def _names(self) -> tuple[str, ...]:
        with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return tuple(archive.files)

    def _member(self, key: str | None) -> Any:
        self._check_memory(key)
        with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return archive[key]

    def _check_memory(self, key: str | None) -> None:
        """Refuses an array of a `.npz` file whose header tells more than the memory holds."""
        with zipfile.ZipFile(self.path) as archive:
            if f"{key}.npy" not in archive.namelist():
                return
            with archive.open(f"{key}.npy") as stream:
                header = _HEADERS.get(read_magic(stream))
                shape, _, dtype = header(stream) if header else ((), False, np.dtype(np.uint8))
        cure = "Write it with numpy.save as a .npy file, which is read piece by piece"
        require_memory(prod(shape) * dtype.itemsize, f"'{self.path}': the array {key!r} of shape {shape}", cure)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except MemoryError as error:
            cure = "Write the array with numpy.save as a .npy file, which is read piece by piece"
            raise DataError(f"'{self.path}' does not fit into memory: {error}. {cure}.") from error
        except _DAMAGE as error:
            reason = str(error).rstrip(".")
            if "Object arrays" in reason or "Python objects" in reason:
                cure = "Write numbers in one array: numpy.save(path, array)"
                ragged = (
                    "Sequences of unequal length: numpy.savez(path, x=padded, lengths=lengths), and the option lengths"
                )
                raise DataError(
                    f"'{self.path}' holds Python objects in place of numbers, which are pickled and never loaded. {cure}. "
                    f"{ragged}."
                ) from error
            cure = "If it is damaged, fetch it again; pickled objects are never loaded: write numbers with numpy.save"
            raise DataError(f"'{self.path}' cannot be read: {reason}. {cure}.") from error


def require_whole(array: Array, path: Path) -> None:
    """Checks that the file behind an array was not cut since it was mapped: reading on would end the process by SIGBUS.

    Args:
        array: The array, or a view of it.
        path: The file.

    Raises:
        DataError: If it was.
    """
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap) and base.size() < len(base):
        raise DataError(
            f"'{path}' was cut to {base.size():,} of {len(base):,} bytes while it was read. Restore it, and start again or go on "
            "with `otae resume`; keep data files as they are while they are read."
        )
