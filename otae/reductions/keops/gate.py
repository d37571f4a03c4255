"""The gate of KeOps: one thread and one process at a time, and nothing on the standard output."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TextIO

from filelock import FileLock, Timeout

log = logging.getLogger("otae.reductions")


class Gate:
    """Creates the gate through which the processes that share a cache of KeOps load formulas one after the other.

    KeOps has no lock of its own, and prints to the standard output, which is the user's.

    Args:
        folder: The cache folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._threads = threading.RLock()
        self._processes = FileLock(folder / "otae.lock", thread_local=False)

    @contextmanager
    def enter(self, on_text: Callable[[str], None]) -> Iterator[None]:
        """Yields while no other thread or process is inside, and what this thread prints goes to a function.

        Args:
            on_text: Called with each text.
        """
        with self._threads, self._locked(), redirect_stdout(_Diversion(on_text)):
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._processes.acquire(timeout=1)
        except Timeout:
            log.info("Another process is compiling a formula of KeOps: waiting for it.")
            self._processes.acquire()
        try:
            yield
        finally:
            self._processes.release()


class _Diversion(io.TextIOBase):
    """Gives what its own thread prints to a function, and lets other threads print as before."""

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self.on_text = on_text
        self.thread = threading.get_ident()
        self.stdout: TextIO = sys.stdout

    def write(self, text: str) -> int:
        if threading.get_ident() != self.thread:
            return self.stdout.write(text)
        self.on_text(text)
        return len(text)

    def flush(self) -> None:
        self.stdout.flush()
