"""A random order of samples that does not depend on the order in which they come."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def arrange(points: Tensor, seed: int) -> Tensor:
    """Returns the indices of all samples, in an order drawn by seed that depends on the samples alone.

    Splits and starts that are drawn in this order give the same figures of a cloud, however it was shuffled before.

    Args:
        points: The samples, with shape (N, …).
        seed: The seed of the draw.
    """
    generator = Generator().manual_seed(seed)
    flat = points.reshape(len(points), -1).double()
    direction = torch.randn(flat.shape[1], dtype=torch.float64, generator=generator)
    ranks = (flat * direction).sum(1).argsort(stable=True)
    return ranks[torch.randperm(len(points), generator=generator)]
