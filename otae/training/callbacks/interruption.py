"""Ctrl-C, SIGTERM and SIGUSR1: finish the step, save a checkpoint, stop."""

from __future__ import annotations

import signal
import threading
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from .saving import Saving

_NAMES = ("SIGINT", "SIGTERM", "SIGUSR1")  # the last is what Slurm sends before it takes a machine away
_SIGNALS = [signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__]


class Interrupted(Exception):
    """Creates the sign that training stopped between two steps because a signal asked for it.

    Args:
        number: The signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"training was interrupted by {signal.Signals(number).name}")
        self.number = number


class Interruption(Callback):
    """Creates a callback that turns a signal into a checkpoint after the current step; a second one stops at once.

    Args:
        saving: What writes the checkpoint.
    """

    def __init__(self, saving: Saving) -> None:
        self.saving = saving
        self._received: int | None = None
        self._former: dict[int, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._receive) for number in _SIGNALS}

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if self._received is not None and not trainer.is_last_batch:  # the last one is followed by validation first
            self.saving.save(trainer)
            self._stop()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop()  # the checkpoint of the epoch's end is there

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._restore()
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._restore()

    def _stop(self) -> None:
        if self._received is not None:
            raise Interrupted(self._received)

    def _receive(self, number: int, _: Any) -> None:
        if self._received is not None:
            self._restore()
            raise KeyboardInterrupt
        self._received = number

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}
