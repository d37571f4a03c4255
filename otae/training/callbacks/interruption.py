"""Ctrl-C, SIGTERM and SIGUSR1: finish the step, save a checkpoint, stop."""

from __future__ import annotations

import signal
import threading
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from ..exchange import Exchange
from ..interrupted import Interrupted
from .saving import Saving

_NAMES = ("SIGINT", "SIGTERM", "SIGUSR1")  # the last is what Slurm sends before it takes a machine away
_SIGNALS = [signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__]


class Interruption(Callback):
    """Creates a callback that turns a signal into a checkpoint after the current step; a second one stops at once.

    Of several processes, all stop after the step in which one of them received the signal.

    Args:
        saving: What writes the checkpoint.
        exchange: The exchange with the other processes.
    """

    def __init__(self, saving: Saving, exchange: Exchange) -> None:
        self.saving, self.exchange = saving, exchange
        self._received: int | None = None
        self._stops = False
        self._former: dict[int, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._receive) for number in _SIGNALS}

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if self._agree() and not trainer.is_last_batch:  # the last one is followed by validation first
            self.saving.save(trainer)
            self._stop()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._agree():
            self._stop()  # the checkpoint of the epoch's end is there

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._restore()
        if self._agree():
            self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._restore()

    def _agree(self) -> bool:
        """Returns whether one of the processes was asked to stop, the same in all."""
        self._stops = self._stops or self.exchange.agree(self._received is not None)
        return self._stops

    def _stop(self) -> None:
        raise Interrupted(self._received or signal.SIGTERM)

    def _receive(self, number: int, _: Any) -> None:
        if self._received is not None:
            self._restore()
            raise KeyboardInterrupt
        self._received = number

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}
