"""The random states in the checkpoint, so that a resumed run draws what it would have drawn."""

from __future__ import annotations

import random
from typing import Any, cast

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from ...errors import RunError


class RandomState(Callback):
    """Saves and restores the states of torch's, NumPy's and Python's global generators, which are alike on all processes."""

    def __init__(self) -> None:
        self._restored: dict[str, Any] | None = None

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        device = pl_module.device
        kind, keys, position, has_gauss, gauss = cast("tuple[Any, ...]", np.random.get_state(legacy=True))
        checkpoint["random"] = {
            "torch": torch.get_rng_state(),
            "cuda": [torch.cuda.get_rng_state(device)] if device.type == "cuda" else [],
            "numpy": [kind, keys.tolist(), position, has_gauss, gauss],
            "python": random.getstate(),
        }

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self._restored = checkpoint["random"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Restores the states after everything that may draw while a run is set up."""
        if self._restored is None:
            return
        state, self._restored = self._restored, None
        try:
            _restore(state, pl_module.device)
        except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise RunError(f"The checkpoint is corrupt: its random states cannot be restored ({error}).") from error


def _restore(state: dict[str, Any], device: torch.device) -> None:
    torch.set_rng_state(state["torch"])
    if state["cuda"] and device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"][0], device)
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, np.asarray(keys, dtype=np.uint32), position, has_gauss, gauss))
    random.setstate(state["python"])
