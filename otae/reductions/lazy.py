"""Sums over all pairs by KeOps: compiled for each formula, with O(ND) memory, on the CPU and on the GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from .dense import Kernel
from .pairs import Pairs


def kernel_product(kernel: Kernel, pairs: Sequence[Pairs], values: Tensor) -> Tensor:
    """Returns the product of the matrix of kernel values with values on the second points, with shape (N, E).

    Args:
        kernel: A function of one number per pairs, entry by entry.
        pairs: The pairs, all with shape (N, M).
        values: The values, with shape (M, E).
    """
    lazy = _lazy_tensor()
    product: Tensor = kernel(*(each.symbolic(lazy) for each in pairs)) @ values.contiguous()
    return product


def log_sum_exp(kernel: Kernel, pairs: Sequence[Pairs]) -> Tensor:
    """Returns the logarithms of the rows' sums of the exponentials of kernel values, with shape (N,).

    Args:
        kernel: A function of one number per pairs, entry by entry.
        pairs: The pairs, all with shape (N, M).
    """
    sums: Tensor = kernel(*(each.symbolic(_lazy_tensor()) for each in pairs)).logsumexp(dim=1)
    return sums[:, 0]


def _lazy_tensor() -> Any:
    from pykeops.torch import LazyTensor

    return LazyTensor
