"""Work on a batch in chunks: the activations of one chunk are held at a time, and the result is that of the whole batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.distributions import Distribution
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint

from .draws import WholeDraws, find_state
from .laws import map_laws


def apply_in_chunks(module: Callable[[Tensor], Any], x: Tensor, count: int) -> Any:
    """Returns what a module makes of a batch: tensors or laws. Its activations are computed again, chunk by chunk, as gradients
    arrive, with the random numbers that it drew.

    Args:
        module: The module, which looks at each sample alone.
        x: Its input, with shape (N, …).
        count: The number of chunks.
    """
    if count == 1:
        return module(x)
    results = [compute_again(module, each) for each in x.chunk(count)]
    if isinstance(results[0], Distribution):
        return map_laws(results, torch.cat)
    return torch.cat(results)


def compute_again(compute: Callable[..., Any], *inputs: Any) -> Any:
    """Returns what a function computes, without holding what its gradient needs: that is computed again.

    Args:
        compute: The function.
        inputs: What it is given.
    """
    return checkpoint(compute, *inputs, use_reentrant=False) if torch.is_grad_enabled() else compute(*inputs)


def draw_alike(
    compute: Callable[[int], Tensor], sizes: Sequence[int], first: int, count: int
) -> Iterator[Callable[[], Tensor]]:
    """Yields the computation of each chunk; noise by rows is that which the whole batch has.

    Args:
        compute: What computes a chunk, by its number.
        sizes: The number of rows of all chunks of the batch, over all processes.
        first: The number of this process's first chunk among them.
        count: The number of its chunks.
    """
    restore = find_state()
    for number in range(count):
        restore()

        def compute_chunk(number: int = number) -> Tensor:
            with WholeDraws(tuple(sizes), first + number, together=False):
                return compute(number)

        yield compute_chunk


def differentiate(chunks: Iterator[Callable[[], Tensor]], parameters: Sequence[Tensor]) -> Tensor:
    """Returns the sum of what is computed chunk by chunk, whose gradient is known already: no graph of it is held.

    Args:
        chunks: What computes a scalar each.
        parameters: What it depends on.
    """
    total, sums = torch.zeros(()), [torch.zeros_like(each) for each in parameters]
    for compute in chunks:
        value = compute()
        gradients = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)  # of shared weights
        for known, gradient in zip(sums, gradients, strict=True):
            if gradient is not None:
                known.add_(gradient)
        total = total.to(value) + value.detach()
    known_gradient: Any = _KnownGradient.apply
    result: Tensor = known_gradient(total, sums, *parameters)
    return result


class _KnownGradient(Function):
    """Is a value, with a gradient that was computed before."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, gradients: list[Tensor], *_: Tensor) -> Tensor:
        ctx.gradients = gradients
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, *(outer[0].to(each) * each for each in ctx.gradients)


@contextmanager
def hold_weights(module: nn.Module, count: int) -> Iterator[None]:
    """Holds weights that are computed from others, such as those of spectral norm 1: once a step, not once a chunk.

    Args:
        module: The module whose weights are held.
        count: The number of chunks; nothing is held for one.
    """
    if count == 1:
        yield
        return
    with parametrize.cached():
        for each in module.modules():
            if parametrize.is_parametrized(each):
                for name in each.parametrizations:  # type: ignore[union-attr]
                    getattr(each, name)
        yield
