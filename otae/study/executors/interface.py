"""The interface of executors: where the points of a study are trained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..task import Outcome, Task


class Executor(ABC):
    """Abstract base of executors; the typed arguments of `__init__` are its options."""

    @abstractmethod
    def run(self, tasks: Sequence[Task], folder: Path) -> Iterator[Outcome]:
        """Yields what came of each task, as soon as it is known; one whose process died has failed.

        Args:
            tasks: The tasks.
            folder: Where the executor may keep files of its own; every machine that it uses sees it under the same path.
        """


def died(task: Task, reason: str, error: BaseException) -> Outcome:
    """Returns the outcome of a task whose process ended without one.

    Args:
        task: The task.
        reason: What happened.
        error: What the executor says of it.
    """
    task.marker.unlink(missing_ok=True)
    details = str(error).strip()
    return Outcome(
        task.hash, "failed", error=f"{reason}: {details.splitlines()[-1] if details else error!r}", traceback=details
    )
