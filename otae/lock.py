"""The lock of a run's folder: one process at a time trains in it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from .errors import RunError
from .files import write_json

LOCK, HOLDER = ".lock", ".lock.json"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other processes out of a run's folder for as long as the context lasts.

    The operating system gives the lock back when a process dies, however it dies. On a file system without locks, a file
    stands for it, which is recognised as stale where its process is gone.

    Args:
        folder: The run's folder.

    Raises:
        RunError: If another process holds the lock, naming it and its host.
    """
    try:
        lock = _acquire(folder)
    except Timeout as error:
        raise RunError(_describe_holder(folder)) from error
    try:
        write_json(folder / HOLDER, _holder())
        yield
    finally:
        with suppress(OSError):
            (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _acquire(folder: Path) -> BaseFileLock:
    lock: BaseFileLock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except NotImplementedError:  # a file system without locks
        lock = SoftFileLock(folder / LOCK, timeout=0)
        lock.acquire()
    return lock


def _holder() -> dict[str, str | int]:
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat(timespec="seconds")}


def _describe_holder(folder: Path) -> str:
    try:
        told = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        who = f"process {told['pid']} on {told['host']}, since {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        who = "another process"
    return f"The run {folder} is in use by {who}. Wait until it ends, or stop it."
