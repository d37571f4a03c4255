"""An order of samples that depends on nothing but themselves, so that seeded draws do not depend on how they came."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def canonical(points: Tensor) -> Tensor:
    """Returns the indices that sort points by their first entry, ties by the second, and so on, with shape (N,).

    Args:
        points: The points, with shape (N, D).
    """
    return torch.from_numpy(np.lexsort(points.numpy().T[::-1]))
