"""What processes do together: rows gathered with exact derivatives of any order, gradients averaged, weights made alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist
from torch.autograd import Function


def gather_rows(rows: Tensor, sizes: Sequence[int], rank: int) -> Tensor:
    """Returns the rows of all processes, one process after the other, with shape (N, …).

    The gradient of a process's rows is the sum of the gradients that all processes have of them: where each of W computes
    one loss of all rows, W times the gradient of that loss. Averaged over processes, gradients of parameters are exact.

    Args:
        rows: The rows of this process, with shape (sizes[rank], …).
        sizes: The number of rows of each process.
        rank: The number of this process.
    """
    if not rows.requires_grad:
        return _exchange(rows, sizes)
    gather: Any = _GatherRows.apply  # torch leaves it untyped
    gathered: Tensor = gather(rows, tuple(sizes), rank)
    return gathered


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Averages the gradients of parameters over all processes, in place.

    All parameters take part, in their order, with zeros where a process has no gradient; those without one anywhere, which
    an optimiser leaves alone, stay without.

    Args:
        parameters: The parameters, the same ones in the same order on all processes.
    """
    for owned in _group_by_kind(parameters):
        sizes = [*(each.numel() for each in owned), len(owned)]
        gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in owned]
        present = gradients[0].new_tensor([float(each.grad is not None) for each in owned])
        flat = torch.cat([*(each.reshape(-1) for each in gradients), present])
        dist.all_reduce(flat)
        means = torch.split(flat / dist.get_world_size(), sizes)
        counts = flat[-len(owned) :].tolist()
        for each, mean, count in zip(owned, means, counts, strict=False):
            if count:
                each.grad = mean.view_as(each) if each.grad is None else each.grad.copy_(mean.view_as(each))


@torch.no_grad()
def share_weights(tensors: Iterable[Tensor]) -> None:
    """Copies tensors of the first process to all others.

    Args:
        tensors: The tensors, of the same shapes in the same order on all processes.
    """
    for each in tensors:
        sent = each.detach().contiguous()
        dist.broadcast(sent, 0)
        each.copy_(sent)


def _group_by_kind(parameters: Iterable[Tensor]) -> list[list[Tensor]]:
    groups: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    for each in parameters:
        groups.setdefault((each.dtype, each.device), []).append(each)
    return list(groups.values())


class _GatherRows(Function):
    """Gathers rows; the adjoint of `_SumRows`."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, sizes: tuple[int, ...], rank: int) -> Tensor:
        ctx.place = sizes, rank
        return _exchange(rows, sizes)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        add: Any = _SumRows.apply
        return add(gradients[0], *ctx.place), None, None


class _SumRows(Function):
    """Sums over processes, and keeps the rows of this one; the adjoint of `_GatherRows`."""

    @staticmethod
    def forward(ctx: Any, whole: Tensor, sizes: tuple[int, ...], rank: int) -> Tensor:
        ctx.place = sizes, rank
        total = whole.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        start = sum(sizes[:rank])
        return total[start : start + sizes[rank]].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        gather: Any = _GatherRows.apply
        return gather(gradients[0], *ctx.place), None, None


def _exchange(rows: Tensor, sizes: Sequence[int]) -> Tensor:
    """Returns the rows of all processes, outside of the graph; those of a smaller one travel with padding."""
    largest, own = max(sizes), rows.detach().contiguous()
    if len(own) < largest:
        own = torch.cat([own, own.new_zeros(largest - len(own), *own.shape[1:])])
    received = [torch.empty_like(own) for _ in sizes]
    dist.all_gather(received, own)
    return torch.cat([each[:size] for each, size in zip(received, sizes, strict=True)])
