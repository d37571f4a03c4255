"""Sums over all pairs by dense torch, in blocks of rows that fit the processor's cache: O(ND + block) memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from .numbers import least_exponent
from .pairs import Pairs

Kernel: TypeAlias = Callable[..., Any]

_WHOLE = 2**22  # entries up to which one block holds all pairs while gradients are recorded
_BLOCK = 2**18  # entries of a block otherwise: 1 MB in single precision, so that it stays in the cache
_RECORDED = 2**19  # the same where gradients are recorded, which makes each block dearer to start
_DEVICE_BLOCK = 2**26  # entries of a block on other devices, which want large ones
_PRIMER = 2**25 - 2**16  # bytes: just below the largest size up to which glibc's malloc learns to keep what is freed


def kernel_product(kernel: Kernel, pairs: Sequence[Pairs], values: Tensor) -> Tensor:
    """Returns the product of the matrix of kernel values with values on the second points, with shape (N, E).

    Args:
        kernel: A function of one number per pairs, entry by entry.
        pairs: The pairs, all with shape (N, M).
        values: The values, with shape (M, E).
    """
    return _by_rows(lambda rows: kernel(*(each.block(rows) for each in pairs)) @ values, pairs, values)


def log_sum_exp(kernel: Kernel, pairs: Sequence[Pairs]) -> Tensor:
    """Returns the logarithms of the rows' sums of the exponentials of kernel values, with shape (N,).

    Args:
        kernel: A function of one number per pairs, entry by entry.
        pairs: The pairs, all with shape (N, M).
    """
    return _by_rows(lambda rows: row_log_sum_exp(kernel(*(each.block(rows) for each in pairs))), pairs)


def row_log_sum_exp(scores: Tensor) -> Tensor:
    """Returns the logarithms of the rows' sums of exponentials, with shape (B,).

    Exponents that would underflow are cut off first: the processor takes up to thirty times as long over them.

    Args:
        scores: The exponents, with shape (B, M); the memory may be written over where no gradient is recorded.
    """
    top = scores.detach().amax(1, keepdim=True)
    top = top.masked_fill(top.isneginf(), 0)
    floor = least_exponent(scores.dtype)
    if scores.requires_grad:
        return (scores - top).clamp_min(floor).exp().sum(1).log() + top[:, 0]
    return scores.sub_(top).clamp_min_(floor).exp_().sum(1).log_().add_(top[:, 0])


def _by_rows(reduce: Callable[[slice], Tensor], pairs: Sequence[Pairs], *others: Tensor) -> Tensor:
    rows, columns = pairs[0].shape
    recorded = torch.is_grad_enabled() and any(
        each.requires_grad for each in (*(side for pair in pairs for side in (pair.x, pair.y)), *others)
    )
    if recorded and rows * columns <= _WHOLE:
        return reduce(slice(0, rows))
    size = max(1, _block(pairs[0].x.device, recorded) // columns)
    blocks = [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
    if len(blocks) > 1 and torch.is_grad_enabled() and not recorded:
        recorded = reduce(slice(0, 1)).requires_grad  # by a parameter of the kernel
    if not recorded:
        return torch.cat([reduce(block) for block in blocks])
    return torch.cat([checkpoint(reduce, block, use_reentrant=False, preserve_rng_state=False) for block in blocks])


def _block(device: torch.device, recorded: bool) -> int:
    if device.type != "cpu":
        return _DEVICE_BLOCK
    torch.empty(_PRIMER, dtype=torch.uint8)  # freed at once: malloc then keeps blocks, and maps no fresh pages for each
    return _RECORDED if recorded else _BLOCK
