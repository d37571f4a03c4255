"""The start of a prior from codes, after some epochs of training, and again every so many epochs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from ..codes import start_prior
from ..module import Engine


class Warmup(Callback):
    """Creates the starts of a prior from the codes of the training data, each right before the first step of an epoch.

    The moments are known by the number of steps alone, so that a run that was stopped before or after one resumes alike.

    Args:
        batches: The training data in order, each batch with shape (B, *data_shape).
        length: The number of steps of an epoch.
    """

    def __init__(self, batches: Iterable[Tensor], length: int) -> None:
        self.batches, self.length = batches, length

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        assert isinstance(pl_module, Engine)
        prior, (epoch, done) = pl_module.model.prior, divmod(pl_module.step, self.length)
        if prior.warmup is None or done or epoch < prior.warmup:
            return
        past = epoch - prior.warmup
        if past == 0 or (prior.every is not None and past % prior.every == 0):
            start_prior(pl_module.model, self.batches, again=past > 0)
