"""A seeded choice among samples, for figures whose cost grows faster than the number of samples."""

from __future__ import annotations

import os

import torch
from torch import Tensor

from otae.errors import NotApplicableError

_BYTES = 8


def subset(cloud: Tensor, limit: int, seed: int, *, matrices: int = 0) -> Tensor:
    """Returns the indices of at most `limit` samples, drawn without replacement; all in order where they are no more.

    Args:
        cloud: The samples, with shape (N, …).
        limit: The largest number of indices.
        seed: The seed of the draw.
        matrices: The number of matrices of all pairs that will be held in double precision.

    Raises:
        NotApplicableError: If these take more than this machine's memory.
    """
    count = min(len(cloud), limit)
    needed, memory = _BYTES * matrices * count**2, _read_memory()
    if needed > memory:
        raise NotApplicableError(
            f"All pairs of {count:,} samples take {needed / 2**30:,.1f} GiB, of {memory / 2**30:,.1f} GiB of memory. Lower the "
            "option limit."
        )
    if len(cloud) <= limit:
        return torch.arange(len(cloud))
    return torch.randperm(len(cloud), generator=torch.Generator().manual_seed(seed))[:limit]


def _read_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # the system does not tell
        return 2**62
