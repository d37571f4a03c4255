"""The peak of memory that a stretch of work takes, in this process and on a GPU."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from types import TracebackType

import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class PeakMemory:
    """Creates a measure of the peak of memory between its beginning and its end, a context manager.

    On Linux the peak of the process is set back at the beginning; elsewhere it is the peak since the process started.

    Attributes:
        host: The largest resident memory of the process, in bytes, what was there at the beginning included.
        device: The largest memory that torch held on the current GPU, in bytes; `None` without a GPU.
    """

    def __init__(self) -> None:
        self.host = 0
        self.device: int | None = None

    def __enter__(self) -> PeakMemory:
        _reset()
        if _uses_gpu():
            torch.cuda.reset_peak_memory_stats()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.host = _peak()
        if _uses_gpu():
            self.device = torch.cuda.max_memory_allocated()


def _uses_gpu() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def _reset() -> None:
    try:
        _RESET.write_text("5")
    except OSError:  # no Linux, or not allowed here: the peak is that of the whole process
        return


def _peak() -> int:
    if _STATUS.is_file():
        lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines() if ":" in line)
        if "VmHWM" in lines:
            return int(lines["VmHWM"].split()[0]) * 1024
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024
