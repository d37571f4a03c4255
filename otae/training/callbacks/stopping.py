"""Early stopping: which epoch was the best, and whether another is worth while."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from ...config import EarlyStoppingConfig
from ..position import Judgement


class Stopping(Callback):
    """Judges each epoch by its validation and keeps the weights of the best one.

    An epoch is judged with the final weights of the terms, once every schedule has ended: before, the objective itself
    moves, and its values cannot be compared.

    Args:
        config: When to stop, or `None` for never.
        judgement: What is known from before.
        weights: The weights of the best epoch before.
    """

    def __init__(
        self,
        config: EarlyStoppingConfig | None,
        judgement: Judgement | None = None,
        weights: dict[str, Tensor] | None = None,
    ) -> None:
        self.config = config
        self.judgement = judgement or Judgement()
        self.weights = weights

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        engine: Any = pl_module
        if self.config is None or not engine.objective.settled(engine.step, engine.current_epoch):
            return
        self._judge(engine.validated[self.config.monitor], engine)
        if self.judgement.stopped:
            trainer.should_stop = True

    def _judge(self, value: float, engine: Any) -> None:
        assert self.config is not None
        former = self.judgement
        lower = former.lowest is None or value < former.lowest
        improved = former.reference is None or value < former.reference - self.config.min_delta
        waited = 0 if improved else former.waited + 1
        self.judgement = Judgement(
            lowest=value if lower else former.lowest,
            lowest_step=engine.step if lower else former.lowest_step,
            reference=value if improved else former.reference,
            waited=waited,
            stopped=waited >= self.config.patience,
        )
        if lower:
            self.weights = {name: weight.detach().cpu().clone() for name, weight in engine.state_dict().items()}
