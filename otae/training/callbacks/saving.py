"""The checkpoint at each epoch's end: everything that a run needs to go on, as one consistent thing."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from ..checkpoints import Checkpoints
from ..history import History
from ..position import Position
from .stopping import Stopping


class Saving(Checkpoint):
    """Writes a checkpoint after each epoch, its validation and its schedules.

    Args:
        checkpoints: Where it goes.
        history: The history, whose rows are on the disk before the checkpoint that counts them; `None` where another
            process writes both.
        stopping: Early stopping, whose judgement and best weights are part of the checkpoint.
        start: A position that holds what stays the same: the configuration and the data.
    """

    def __init__(self, checkpoints: Checkpoints, history: History | None, stopping: Stopping, start: Position) -> None:
        self.checkpoints, self.history, self.stopping, self.start = checkpoints, history, stopping, start

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.save(trainer)

    def save(self, trainer: Trainer) -> None:
        """Writes the checkpoint of this moment.

        Args:
            trainer: The trainer.
        """
        for logger in trainer.loggers:
            logger.save()
        trainer.save_checkpoint(self.checkpoints.last)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        position = self.start.model_copy(
            update={
                "step": pl_module.step,
                "epochs": pl_module.step // int(trainer.num_training_batches),
                "rows": self.history.count if self.history is not None else 0,
                "judgement": self.stopping.judgement,
            }
        )
        checkpoint["otae"] = position.model_dump(mode="json")
        checkpoint["loops"] = {"fit_loop": checkpoint["loops"]["fit_loop"]}
        checkpoint["best"] = self.stopping.weights
