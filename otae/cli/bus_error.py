"""The end of a process by a file that was cut while it was mapped into memory, told as a sentence."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Any

_SENTENCE = (
    b"Error: A file that is mapped into memory was cut, or lies on a disk that fails (SIGBUS): data files must stay as they "
    b"are while a command reads them. Restore it; a run that had begun goes on with `otae resume`.\n"
)
_kept: list[Any] = []


def tell_bus_errors() -> None:
    """Has the process end with a sentence and status 2 where the system would kill it by SIGBUS.

    Python's own handlers run between two of its instructions, and this signal would come again and again before: the
    handler must be one that C calls. It writes the sentence and ends the process, and nothing else is safe in it.
    """
    if not hasattr(signal, "SIGBUS") or _kept:
        return
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(_end)
    try:
        install = ctypes.CDLL(None).signal
    except (OSError, AttributeError):  # the C library is not to be had
        return
    install.argtypes, install.restype = [ctypes.c_int, type(handler)], ctypes.c_void_p
    install(signal.SIGBUS, handler)
    _kept.append(handler)  # C keeps the address alone


def _end(number: int) -> None:  # noqa: ARG001 - C calls it so
    os.write(2, _SENTENCE)
    os._exit(2)
