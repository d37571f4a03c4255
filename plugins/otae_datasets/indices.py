"""Indices of samples, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Indices: TypeAlias = NDArray[np.int64]


def checked(indices: Sequence[int], count: int) -> Indices:
    """Returns indices as an array, with shape (B,).

    Args:
        indices: The indices, each in [0, count).
        count: The number of samples.

    Raises:
        IndexError: If one is outside.
    """
    array = np.asarray(indices, dtype=np.int64)
    if (outside := (array < 0) | (array >= count)).any():
        raise IndexError(f"There is no sample {array[outside][0]}: there are {count}, counted from 0.")
    return array
