"""One file, fetched as a whole: resumed where it was broken off, checked, then moved to its place."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from ..errors import ConfigError, DataError
from ..interfaces import Download

Progress: TypeAlias = Callable[[int, int | None], None]
"""What is told of a file's progress: the bytes that are there, and the bytes in all, where known."""

_BLOCK = 2**18
_SECONDS = 30
_LOST = (OSError, http.client.HTTPException)


def fetch(file: Download, folder: Path, progress: Progress | None = None) -> Path:
    """Returns the path of a file, fetched where it is not there yet.

    What arrives is kept in a file that ends in `.part`, which a later call continues, by an HTTP range where the server
    knows them. Once it is complete its size and checksum are looked at, and it is moved to its place.

    Args:
        file: The file.
        folder: The data folder.
        progress: What is called as bytes arrive.

    Raises:
        ConfigError: If the file would leave the data folder, or its address is of an unknown kind.
        DataError: If it cannot be fetched, and what to do; what had arrived is kept, unless it is not the right file.
    """
    path = folder / file.path
    _check(file)
    if path.exists():
        return path
    part = path.with_name(f"{path.name}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _receive(file, part, progress or _ignored)
    except _LOST as error:
        reason = str(getattr(error, "reason", "") or error) or type(error).__name__
        cure = "What has arrived is kept: fetch again to continue" if part.exists() else "Try again later"
        raise DataError(f"{file.url} cannot be fetched to '{path}': {reason}. {cure}.") from error
    _verify(file, part)
    part.replace(path)
    return path


def digest_of(path: Path, kind: str = "sha256") -> str:
    """Returns the checksum of a file, as `sha256:…`.

    Args:
        path: The file.
        kind: The algorithm, `sha256` or `md5`.
    """
    with path.open("rb") as stream:
        return f"{kind}:{hashlib.file_digest(stream, kind).hexdigest()}"


def _check(file: Download) -> None:
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts:
        raise ConfigError(f"The file {file.path!r} would leave the data folder: the plugin that names it is at fault.")
    if not file.url.startswith(("https://", "http://", "file://")):
        raise ConfigError(f"The address {file.url!r} is of no known kind: https://, http:// or file://.")


def _receive(file: Download, part: Path, progress: Progress) -> None:
    there = part.stat().st_size if part.exists() else 0
    if there and there == file.size:
        return
    try:
        response = urlopen(Request(file.url, headers={"Range": f"bytes={there}-"} if there else {}), timeout=_SECONDS)
    except HTTPError as error:
        if error.code != 416:  # the range begins past the end: start over
            raise
        part.unlink()
        raise URLError("the part that was there does not fit the file, and is removed") from error
    with response:
        continued = there and response.headers.get("Content-Range", "").startswith(f"bytes {there}-")
        done = there if continued else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else file.size
        with part.open("ab" if continued else "wb") as stream:
            while block := response.read(_BLOCK):
                done += stream.write(block)
                progress(done, total)
    if total is not None and done < total:
        raise URLError(f"the connection ended after {done:,} of {total:,} bytes")


def _verify(file: Download, part: Path) -> None:
    size = part.stat().st_size
    kind = (file.digest or "sha256").partition(":")[0]
    found = digest_of(part, kind)
    if file.size in (None, size) and file.digest in (None, found):
        return
    part.unlink()
    told = f"{size:,} bytes and {found}, not {file.size or size:,} bytes and {file.digest or 'any checksum'}"
    cure = "It is removed. Fetch again; if that does not help, the file has changed at its source"
    raise DataError(f"{file.url} is not the file that was expected: it has {told}. {cure}.")


def _ignored(done: int, total: int | None) -> None:
    pass
