"""Sorting the rows of a matrix, on the processor by NumPy, which is several times as fast there as torch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .numbers import in_transform

_THREADS = 4  # from which on torch, which sorts rows in parallel, overtakes NumPy
_FREE = 29  # bits of a double that single precision leaves empty


def sort_rows(values: Tensor) -> Tensor:
    """Returns the numbers of each row in order, with shape (…, N), differentiable.

    Args:
        values: The numbers, with shape (…, N).
    """
    if _by_numpy(values) and not (torch.is_grad_enabled() and values.requires_grad):
        return torch.from_numpy(np.sort(values.detach().numpy(), axis=-1))
    return values.gather(-1, order_rows(values))


def order_rows(values: Tensor, stable: bool = False) -> Tensor:
    """Returns the indices that sort each row, with shape (…, N).

    Args:
        values: The numbers, with shape (…, N).
        stable: Whether equal numbers keep their order.
    """
    if not _by_numpy(values):
        return values.detach().argsort(dim=-1, stable=stable)
    numbers = values.detach().numpy()
    if stable or numbers.dtype != np.float32 or numbers.shape[-1] >= 2**_FREE:
        return torch.from_numpy(np.argsort(numbers, axis=-1, kind="stable" if stable else None))
    keys = numbers.astype(
        np.float64
    )  # whose free bits hold the indices: numbers are sorted three times as fast as indices
    places = keys.view(np.int64)
    places |= np.arange(numbers.shape[-1])
    keys.sort(axis=-1)
    places &= 2**_FREE - 1
    return torch.from_numpy(places)


def _by_numpy(values: Tensor) -> bool:
    return values.device.type == "cpu" and torch.get_num_threads() < _THREADS and not in_transform()
