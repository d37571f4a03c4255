"""Sums over all pairs by KeOps: compiled for each formula, with O((N+M)D) memory, on the CPU and on the GPU."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from ...errors import BackendError
from .. import keops
from ..dense import Kernel
from ..pairs import Pairs


@torch.compiler.disable  # type: ignore[untyped-decorator]
def kernel_product(kernel: Kernel, pairs: Sequence[Pairs], values: Tensor) -> Tensor:
    """Returns the product of the matrix of kernel values with values on the second points, with shape (N, E).

    Args:
        kernel: A function of one number per pairs, entry by entry.
        pairs: The pairs, all with shape (N, M).
        values: The values, with shape (M, E).

    Raises:
        BackendError: If KeOps cannot be loaded, compute there, or compile.
    """
    lazy = _symbol_for(values)
    products = kernel(*(each.symbolic(lazy) for each in pairs)) * lazy(values, axis=1)
    sums: Tensor = products.sum(dim=1)
    return sums


@torch.compiler.disable  # type: ignore[untyped-decorator]
def log_sum_exp(kernel: Kernel, pairs: Sequence[Pairs]) -> Tensor:
    """Returns the logarithms of the rows' sums of the exponentials of kernel values, with shape (N,).

    Args:
        kernel: A function of one number per pairs, entry by entry.
        pairs: The pairs, all with shape (N, M).

    Raises:
        BackendError: If KeOps cannot be loaded, compute there, or compile.
    """
    lazy = _symbol_for(pairs[0].x)
    sums: Tensor = kernel(*(each.symbolic(lazy) for each in pairs)).logsumexp(dim=1)
    return sums[:, 0]


def _symbol_for(points: Tensor) -> Any:
    reason = keops.obstacle(points.device.type, points.dtype, compiling=False)
    if reason:
        raise BackendError(reason)
    return _symbol()


@cache
def _symbol() -> Any:
    """Returns KeOps' LazyTensor, taught to take trainable parameters and numbers of another precision or device."""
    lazy: Any = keops.load().torch.LazyTensor

    class Symbol(lazy):  # type: ignore[misc]
        def __init__(self, x: Any = None, axis: int | None = None, is_complex: bool = False) -> None:
            super().__init__(x.contiguous().view(x.shape) if isinstance(x, Tensor) else x, axis, is_complex)

        def lt_constructor(self, x: Any = None, axis: int | None = None, is_complex: bool = False) -> Any:
            if isinstance(x, Tensor):
                x = x.to(next(each for each in self.variables if isinstance(each, Tensor)))
            return Symbol(x, axis, is_complex)

    return Symbol
