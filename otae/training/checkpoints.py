"""The checkpoints of a run: the last one and the one before, each a whole, at places that the run's layout alone decides."""

from __future__ import annotations

import os
import shutil
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
from lightning.fabric.plugins import CheckpointIO
from torch import Tensor

from ..errors import RunError
from ..files import flush_to_disk
from . import checkpoint_file
from .position import Position, parse_position

LAST, PREVIOUS = "last.ckpt", "previous.ckpt"
_RESTORED = ("state_dict", "loops", "optimizer_states", "lr_schedulers", "otae", "random")


@dataclass(frozen=True)
class Checkpoint:
    """Holds one checkpoint.

    Args:
        position: Where the training stands.
        content: Everything, as Lightning restores it.
    """

    position: Position
    content: dict[str, Any] = field(repr=False)

    @property
    def weights(self) -> dict[str, Tensor]:
        """Returns the weights of the last step."""
        weights: dict[str, Tensor] = self.content["state_dict"]
        return weights

    @property
    def best(self) -> dict[str, Tensor] | None:
        """Returns the weights of the best epoch, where early stopping has judged one."""
        best: dict[str, Tensor] | None = self.content["best"]
        return best


class Checkpoints(CheckpointIO):
    """Holds the checkpoints of a run and is Lightning's only way to them.

    No path in a file is followed, and nothing of a callback's state is restored: what a checkpoint may say is checked
    first, by `parse_position` and by `continuation`.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkpoints"
        self.loaded: Checkpoint | None = None

    @property
    def last(self) -> Path:
        """Returns the place of the last checkpoint."""
        return self.folder / LAST

    def read(self) -> Checkpoint | None:
        """Returns the last checkpoint, or the one before where the last one is corrupt, or nothing where there is none.

        Raises:
            RunError: If there are checkpoints, and all are corrupt.
        """
        faults = []
        for path in (self.last, self.folder / PREVIOUS):
            if not path.exists():
                continue
            try:
                self.loaded = _parse(checkpoint_file.read(path), str(path))
            except RunError as error:
                faults.append(str(error))
                continue
            for fault in faults:
                warnings.warn(f"{fault} The checkpoint before it is taken.", stacklevel=2)
            return self.loaded
        if faults:
            raise RunError(f"{' '.join(faults)} Remove {self.folder} to start from the beginning.")
        return None

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Writes a checkpoint beside its place, and moves it there once it is on the disk; the one before is kept.

        Args:
            checkpoint: What it holds.
            path: Ignored: there is one place for the last checkpoint.
            storage_options: Ignored.
        """
        self.folder.mkdir(exist_ok=True)
        draft = self.folder / f".{LAST}.{os.getpid()}.part"
        try:
            checkpoint_file.write(draft, checkpoint)
            flush_to_disk(draft)
            if self.last.exists():
                self.last.replace(self.folder / PREVIOUS)
            shutil.move(draft, self.last)
            flush_to_disk(self.folder)
        finally:
            draft.unlink(missing_ok=True)

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Returns what `read` read and checked.

        Args:
            path: Ignored: a checkpoint is read in one place only.
            map_location: Ignored: it is on the CPU.
            weights_only: Ignored: nothing in it is ever executed.

        Raises:
            RunError: If nothing was read.
        """
        if self.loaded is None:
            raise RunError(f"There is no checkpoint in {self.folder}.")
        content = {name: self.loaded.content[name] for name in _RESTORED}
        content["loops"] = {"fit_loop": content["loops"]["fit_loop"]}
        return {**content, "callbacks": {}, "pytorch-lightning_version": lightning.__version__}

    def remove_checkpoint(self, path: str | Path) -> None:
        """Does nothing: no checkpoint is removed but by writing another."""


def _parse(content: dict[str, Any], where: str) -> Checkpoint:
    position = parse_position(content, where)
    for name in ("state_dict", "best"):
        weights = content.get(name)
        sound = isinstance(weights, dict) and all(isinstance(value, Tensor) for value in weights.values())
        if not sound and not (name == "best" and weights is None):
            raise RunError(f"{where} is corrupt: {name} holds no weights.")
    if missing := [name for name in _RESTORED if name not in content]:
        raise RunError(f"{where} is corrupt: it lacks {', '.join(missing)}.")
    return Checkpoint(position, {"best": None, **content})
