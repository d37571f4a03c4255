"""Sums over pairs written out the naive way, the kernels and points to try them with, and what watches the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from otae.reductions import Dots, Pairs, Squares, safe_exp, safe_power, safe_sqrt

KERNELS: dict[str, Callable[[Any], Any]] = {
    "gaussian": lambda s: safe_exp(-s / 2),
    "laplacian": lambda s: safe_exp(-safe_sqrt(s)),
    "rational": lambda s: 1 / (1 + s),
    "power": lambda s: safe_power(s, 0.65),
    "linear": lambda s: 3 * s - 0.5,
}


def points(count: int, size: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Returns normal points, the same for the same seed whatever their type."""
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def numbers(pairs: Pairs) -> Tensor:
    """Returns the numbers of all pairs, from their differences or products written out."""
    x, y = pairs.x[:, None], pairs.y[None]
    return {Squares: lambda: (x - y).square().sum(2), Dots: lambda: (x * y).sum(2)}[type(pairs)]()


def kernel_product(kernel: Callable[..., Tensor], pairs: Sequence[Pairs], values: Tensor) -> Tensor:
    """Returns the product of the whole matrix of kernel values with values."""
    return kernel(*map(numbers, pairs)) @ values


class Largest(TorchDispatchMode):
    """Records the number of entries of the largest floating-point tensor that any operation returns."""

    entries = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.is_floating_point():
            self.entries = max(self.entries, result.numel())
        return result


@contextmanager
def saved_entries() -> Iterator[list[int]]:
    """Yields the list of the numbers of entries of the tensors that are kept for the backward pass."""
    found: list[int] = []

    def keep(tensor: Tensor) -> Tensor:
        found.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield found
