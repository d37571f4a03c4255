"""The live progress of training, with each term's value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.text import Text


class Progress(ProgressBar):
    """Creates a progress display: a live bar on a terminal, a line at every tenth of the epochs elsewhere.

    Args:
        console: The console to write to.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console
        self._bar: _Bar | None = None
        self._task = TaskID(0)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epochs, per_epoch = trainer.max_epochs or 0, int(trainer.num_training_batches)
        if not self.console.is_terminal:
            return
        self._bar = _Bar(
            TextColumn("[bold]epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            refresh_per_second=4,
        )
        self._bar.start()
        self._task = self._bar.add_task(
            "steps", total=epochs * per_epoch, epoch=trainer.current_epoch + 1, epochs=epochs, terms={}
        )

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        if self._bar is not None:
            terms = _terms(pl_module)
            self._bar.update(self._task, completed=pl_module.step, epoch=trainer.current_epoch + 1, terms=terms)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epoch, epochs = trainer.current_epoch + 1, trainer.max_epochs or 0
        if self._bar is None and (epoch % max(1, epochs // 10) == 0 or epoch == epochs):
            told = "  ".join(f"{name} {value:.4g}" for name, value in _terms(pl_module).items())
            self.console.print(f"epoch {epoch}/{epochs}  {told}", highlight=False, soft_wrap=True)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class _Bar(RichProgress):
    """Creates a progress bar with the terms in a line below, which wraps on a narrow terminal."""

    def get_renderables(self) -> Iterator[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        for task in self.tasks:
            told = (Text.assemble((f"{name} ", "dim"), f"{value:.3g}") for name, value in task.fields["terms"].items())
            yield Text("   ").join(told)


def _terms(engine: Any) -> dict[str, float]:
    shown = ["total", *(name for name, _ in engine.objective)]
    return {name: engine.latest[name] for name in shown if name in engine.latest}
