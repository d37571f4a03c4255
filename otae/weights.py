"""Files of weights: safetensors with a checksum, the same bytes for the same weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor

from .errors import RunError
from .files import atomic

_KEY, _ALIGNMENT = "sha256", 8


def write_weights(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Writes tensors and text. The header is sorted, since safetensors' own order of metadata is a matter of chance.

    Args:
        path: The file.
        tensors: The tensors by name.
        metadata: The text by name.
    """
    whole = serialize(
        {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}, dict(metadata)
    )
    header, data = _split(whole)
    checksum = _checksum(header, data)
    header["__metadata__"] = {**metadata, _KEY: checksum}
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with atomic(path) as draft:
        draft.write_bytes(len(text).to_bytes(8, "little") + text + data)


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Returns the tensors of a file and its text.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: If it is not there.
        RunError: If it is corrupt, or otae did not write it.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError, ValueError, UnicodeDecodeError) as error:
        raise RunError(
            f"{path} is corrupt and cannot be read ({error}). Train again, or restore it from a copy."
        ) from error
    if _KEY not in metadata:
        raise RunError(f"{path} lacks a checksum: otae did not write it. Restore it from a copy.")
    header, data = _split(path.read_bytes())
    if _checksum(header, data) != metadata.pop(_KEY):
        raise RunError(
            f"{path} is corrupt: its checksum is not that of its content. Train again, or restore it from a copy."
        )
    return tensors, metadata


def _split(whole: bytes) -> tuple[dict[str, object], memoryview]:
    view = memoryview(whole)
    size = int.from_bytes(view[:8], "little")
    return json.loads(bytes(view[8 : 8 + size])), view[8 + size :]


def _checksum(header: Mapping[str, object], data: memoryview) -> str:
    metadata = header.get("__metadata__")
    told = {name: text for name, text in metadata.items() if name != _KEY} if isinstance(metadata, dict) else {}
    digest = hashlib.sha256(json.dumps({**header, "__metadata__": told}, sort_keys=True).encode())
    digest.update(data)
    return digest.hexdigest()
