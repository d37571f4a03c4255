"""The file of a checkpoint: torch's archive, closed by a checksum over every byte before it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch

from ..errors import RunError

_MARK = b"sha256:"
_LENGTH = len(_MARK) + 64


def write(path: Path, content: dict[str, Any]) -> None:
    """Writes a checkpoint. The checksum is the archive's comment, so that torch and any zip program still read the file.

    Args:
        path: The file.
        content: Tensors, numbers, text and containers of these.
    """
    with path.open("w+b") as file:
        torch.save(content, file)
        file.seek(-2, 2)  # the last two bytes of a zip archive are the length of its comment
        file.write(_LENGTH.to_bytes(2, "little"))
        file.seek(0)
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
        file.write(_MARK + checksum.encode())


def read(path: Path) -> dict[str, Any]:
    """Returns what a checkpoint holds, on the CPU; nothing in it is executed.

    Args:
        path: The file.

    Raises:
        RunError: If the file cannot be read, or is not what `write` wrote.
    """
    try:
        _verify(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}.") from error
    except RunError:
        raise
    except Exception as error:  # torch's reader may raise anything
        raise RunError(f"{path} is corrupt: {type(error).__name__}.") from error
    if not isinstance(content, dict):
        raise RunError(f"{path} is corrupt: it holds no checkpoint of otae.")
    return content


def _verify(path: Path) -> None:
    digest, size = hashlib.sha256(), path.stat().st_size - _LENGTH
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(size, 1 << 20))):
            digest.update(block)
            size -= len(block)
        if size or file.read() != _MARK + digest.hexdigest().encode():
            raise RunError(f"{path} is corrupt: its checksum is not that of its content.")
