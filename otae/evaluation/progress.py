"""The progress of what follows training: each step by its name, and the time that all took."""

from __future__ import annotations

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Steps:
    """Creates a display of steps, to be used as a context: a bar on a terminal, one line at the end elsewhere.

    Args:
        console: Where to show them; nowhere where `None`.
        title: What the steps are for, such as `evaluating`.
        total: The number of steps.
    """

    def __init__(self, console: Console | None, title: str, total: int) -> None:
        self.console, self.title, self.total = console, title, total
        self._bar: Progress | None = None
        self._started = 0.0

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        if self.console is not None and self.console.is_terminal:
            self._bar = Progress(
                TextColumn(f"[bold]{self.title}"),
                BarColumn(bar_width=40),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("[dim]{task.fields[step]}"),
                console=self.console,
                transient=True,
            )
            self._bar.start()
            self._bar.add_task(self.title, total=self.total, step="")
        return self

    def begin(self, step: str) -> None:
        """Shows the step that begins now; the one before is done.

        Args:
            step: Its name.
        """
        if self._bar is not None:
            (task,) = self._bar.tasks
            done = task.completed + (1 if task.fields["step"] else 0)
            self._bar.update(task.id, completed=done, step=step)

    def __exit__(self, kind: object, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self.console is not None and kind is None:
            seconds = time.monotonic() - self._started
            self.console.print(f"{self.title}: {self.total} steps in {seconds:.1f} s", highlight=False, soft_wrap=True)
