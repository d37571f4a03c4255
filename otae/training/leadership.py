"""The number of this process among those of a training, whatever number a scheduler's variables give it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightning.fabric.utilities.rank_zero import rank_zero_only


@contextmanager
def numbered(rank: int) -> Iterator[None]:
    """Has Lightning number this process as the training does, for as long as the context lasts.

    Lightning numbers a process by RANK or SLURM_PROCID as it is imported, and one that is not the first writes nothing, such
    as TensorBoard's events.

    Args:
        rank: The number of this process; 0 for the one that writes.
    """
    lightning: Any = rank_zero_only
    former, lightning.rank = lightning.rank, rank
    try:
        yield
    finally:
        lightning.rank = former
