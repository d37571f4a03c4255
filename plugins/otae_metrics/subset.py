"""A seeded choice among samples, for figures whose cost grows faster than the number of samples."""

from __future__ import annotations

import torch
from torch import Tensor


def subset(cloud: Tensor, limit: int, seed: int) -> Tensor:
    """Returns the indices of at most `limit` samples, drawn without replacement; all in order where they are no more.

    Args:
        cloud: The samples, with shape (N, …).
        limit: The largest number of indices.
        seed: The seed of the draw.
    """
    if len(cloud) <= limit:
        return torch.arange(len(cloud))
    return torch.randperm(len(cloud), generator=torch.Generator().manual_seed(seed))[:limit]
