"""A file of the IDX format, plain or compressed by gzip, opened without trusting it."""

from __future__ import annotations

import gzip
import zlib
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from otae.errors import DataError

from .array_file import Array

_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_RATIO = 1032
"""No compressed byte holds more than so many plain ones."""


class IdxFile:
    """Creates a view of an IDX file: two zero bytes, a type, the number of axes, their lengths, then the values.

    Args:
        path: The file, which exists; whether it is compressed is read off the contents, not the name.

    Attributes:
        path: The file's path.
        shape: The shape of the array.
        dtype: The type of its values.

    Raises:
        DataError: If the file is damaged, or of another kind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as stream:
            self._compressed = stream.read(2) == b"\x1f\x8b"
        try:
            with self._open() as stream:
                self.dtype, self.shape = self._header(stream)
        except (OSError, EOFError, zlib.error) as error:
            raise self._damaged(str(error)) from error
        self._start = 4 + 4 * len(self.shape)
        self._size = prod(self.shape) * self.dtype.itemsize
        self._check_size()

    def read(self) -> Array:
        """Returns the array: of a plain file as a read-only memory map, of a compressed one in memory.

        Raises:
            DataError: If the file is damaged, or does not fit into memory.
        """
        if not self._compressed:
            return np.memmap(self.path, self.dtype, "r", self._start, self.shape)
        try:
            with self._open() as stream:
                stream.seek(self._start)
                content = stream.read(self._size + 1)
        except MemoryError as error:
            raise DataError(
                f"'{self.path}' does not fit into memory. Unpack it with gunzip: it is mapped then."
            ) from error
        except (OSError, EOFError, zlib.error) as error:
            raise self._damaged(str(error)) from error
        if len(content) != self._size:
            raise self._damaged(f"its header tells {self._size:,} bytes of values, it holds {len(content):,} or more")
        return np.frombuffer(content, self.dtype).reshape(self.shape)

    def _open(self) -> IO[bytes] | gzip.GzipFile:
        return gzip.open(self.path, "rb") if self._compressed else self.path.open("rb")

    def _header(self, stream: IO[bytes] | gzip.GzipFile) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
        start = stream.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or not start[3]:
            raise DataError(
                f"'{self.path}' is no IDX file: it does not begin with two zeros, a type and a rank. {_CURE}."
            )
        lengths = stream.read(4 * start[3])
        if len(lengths) != 4 * start[3]:
            raise self._damaged("it ends in its header")
        return np.dtype(_TYPES[start[2]]), tuple(int(length) for length in np.frombuffer(lengths, ">u4"))

    def _check_size(self) -> None:
        held = self.path.stat().st_size
        if not self._size:
            raise DataError(f"'{self.path}' holds an array of shape {self.shape}, hence no values. {_CURE}.")
        if not self._compressed and held != self._start + self._size:
            raise self._damaged(f"shape {self.shape} needs {self._start + self._size:,} bytes, it has {held:,}")
        if self._compressed and self._size > _RATIO * held:
            raise self._damaged(f"{held:,} bytes cannot hold an array of shape {self.shape}")

    def _damaged(self, reason: str) -> DataError:
        return DataError(f"'{self.path}' is damaged: {reason.rstrip('.')}. {_CURE}.")


_CURE = "Remove it and fetch it again"
