"""The one process of a training leads, whatever number a scheduler's variables give it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightning.fabric.utilities.rank_zero import rank_zero_only


@contextmanager
def leading() -> Iterator[None]:
    """Lets this process write what only the first of several writes, such as TensorBoard's events, for as long as it lasts.

    Lightning numbers a process by RANK or SLURM_PROCID as it is imported, and one that is not the first writes nothing.
    """
    lightning: Any = rank_zero_only
    former, lightning.rank = lightning.rank, 0
    try:
        yield
    finally:
        lightning.rank = former
