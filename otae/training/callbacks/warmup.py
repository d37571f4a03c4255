"""The start of a prior from codes, after some epochs of training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from ..codes import start_prior
from ..module import Engine


class Warmup(Callback):
    """Creates the start of a prior from the codes of the training data, right before the first step after its warm-up.

    The moment is known by the number of steps alone, so that a run that was stopped before or after it resumes alike.

    Args:
        batches: The training data in order, each batch with shape (B, *data_shape).
        length: The number of steps of an epoch.
    """

    def __init__(self, batches: Iterable[Tensor], length: int) -> None:
        self.batches, self.length = batches, length

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        assert isinstance(pl_module, Engine)
        warmup = pl_module.model.prior.warmup
        if warmup is not None and pl_module.step == warmup * self.length:
            start_prior(pl_module.model, self.batches)
