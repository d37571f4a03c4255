"""Random directions, uniform on the sphere."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def random_directions(dimension: int, count: int, like: Tensor, orthogonal: bool = False) -> Tensor:
    """Returns random unit vectors, with shape (D, L), drawn from torch's global generator.

    Args:
        dimension: The number D of entries of a vector.
        count: The number L of vectors.
        like: A tensor with the type and the device to have.
        orthogonal: Whether each D of them are orthogonal to each other; every single one is uniform all the same.
    """
    draws = torch.randn(dimension, count, dtype=like.dtype, device=like.device)
    if not orthogonal:
        return F.normalize(draws, dim=0)
    return torch.cat([torch.linalg.qr(block).Q for block in torch.split(draws, dimension, dim=1)], dim=1)
