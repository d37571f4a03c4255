"""The memory that is free, asked before something large is read."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from otae.errors import DataError

_MEMORY, _CGROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


def find_free_memory() -> int | None:
    """Returns the bytes of memory that can be had, within the limit of a container; `None` where that is not known."""
    found = [free for free in (_find_system(), _find_container()) if free is not None]
    return min(found) if found else None


def require_memory(size: int, what: str, cure: str = "Give fewer or smaller ones, or free memory") -> None:
    """Checks that something fits into the memory before it is read.

    Args:
        size: The bytes that it takes.
        what: What it is, for the message.
        cure: What to do, for the message.

    Raises:
        DataError: If it does not.
    """
    free = find_free_memory()
    if free is not None and size > free:
        raise DataError(f"{what} takes {_spell(size)} of memory, where {_spell(free)} are free. {cure}.")


def _find_system() -> int | None:
    with suppress(OSError):
        if told := re.search(r"^MemAvailable:\s+(\d+) kB", _MEMORY.read_text(), re.MULTILINE):
            return int(told[1]) * 1024
    with suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _find_container() -> int | None:
    with suppress(OSError, ValueError):
        most, used = (int((_CGROUP / name).read_text()) for name in ("memory.max", "memory.current"))
        cached = re.search(r"^inactive_file (\d+)", (_CGROUP / "memory.stat").read_text(), re.MULTILINE)
        return most - used + (int(cached[1]) if cached else 0)
    return None


def _spell(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
