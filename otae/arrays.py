"""Arrays and tensors that a model is given: of floating-point numbers, finite, and as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .errors import CloudError


def is_floating(values: Tensor | np.ndarray[Any, Any]) -> bool:
    """Returns whether values are floating-point numbers.

    Args:
        values: An array or a tensor.
    """
    return values.is_floating_point() if isinstance(values, Tensor) else np.issubdtype(values.dtype, np.floating)


def to_tensor(batch: Tensor | np.ndarray[Any, Any]) -> Tensor:
    """Returns a batch as a tensor, read-only and byte-reversed arrays too.

    Args:
        batch: An array or a tensor.
    """
    if isinstance(batch, Tensor):
        return batch
    return torch.from_numpy(np.array(batch, dtype=batch.dtype.newbyteorder("=")))


def require_finite(batch: Tensor, what: str) -> Tensor:
    """Returns a batch, if all its values are finite.

    Args:
        batch: The batch.
        what: What it holds, for messages.

    Raises:
        CloudError: If one is not.
    """
    if not bool(torch.isfinite(batch).all()):
        raise CloudError(f"The {what} hold a value that is not finite (NaN or infinity): clean them first.")
    return batch
