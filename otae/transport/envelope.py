"""Values whose gradients are known without differentiating what found them: the envelope theorem."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias, cast

import torch
from torch import Tensor

Needs: TypeAlias = tuple[bool, ...]
Solve: TypeAlias = Callable[[tuple[Tensor, ...], Needs], tuple[Tensor, Sequence[Tensor | None]]]


def solve_with_gradients(solve: Solve, inputs: Sequence[Tensor]) -> Tensor:
    """Returns the value that a solver finds, a scalar with the gradients that it finds along with it.

    It works under `torch.func.grad` too, and asking for second derivatives, which would be silently wrong, is an error.

    Args:
        solve: Takes the inputs, cut from the graph, and which of them need gradients; returns the value, a scalar or one for
            each of a batch, with shape (B,), and its gradient to each of them, `None` where it needs none.
        inputs: What the value depends on.
    """
    needs = tuple(torch.is_grad_enabled() and each.requires_grad for each in inputs)
    return cast("tuple[Tensor, ...]", _Solved.apply(solve, needs, *inputs))[0]  # type: ignore[no-untyped-call]


def with_gradients(value: Tensor, inputs: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> Tensor:
    """Returns a value with given gradients, a scalar; to ask for gradients of these is an error.

    Args:
        value: The value, a scalar cut from the graph.
        inputs: What it depends on.
        gradients: Its gradient to each, with that one's shape; `None` for an input that needs none.
    """
    return solve_with_gradients(lambda _, __: (value.clone(), gradients), inputs)


def once(value: Tensor) -> Tensor:
    """Returns a value whose gradient is its own, and whose second derivatives are refused: something was held still.

    Args:
        value: The value, with its graph.
    """
    return cast("Tensor", _Once.apply(value))  # type: ignore[no-untyped-call]


class _Once(torch.autograd.Function):
    """Hands gradients on, and refuses theirs."""

    @staticmethod
    def forward(value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return outer[0]
        passed: Tensor = _Last.apply(outer[0], *ctx.saved_tensors)  # type: ignore[no-untyped-call]
        return passed


class _Solved(torch.autograd.Function):
    """Hands back the gradients that were found along with a value."""

    @staticmethod
    def forward(solve: Solve, needs: Needs, *inputs: Tensor) -> tuple[Tensor, ...]:
        value, gradients = solve(tuple(each.detach() for each in inputs), needs)
        none = value.new_zeros(0)
        return value, *(none.clone() if each is None else each for each in gradients)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        _, ctx.needs, *given = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*output[1:], *given)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        count = len(ctx.saved_tensors) // 2
        gradients, inputs = ctx.saved_tensors[:count], ctx.saved_tensors[count:]
        if torch.is_grad_enabled():  # the gradient is asked for with a graph of its own
            gradients = [_Last.apply(each, *inputs) for each in gradients]  # type: ignore[no-untyped-call]
        scaled = [_times(outer[0], each) if needed else None for each, needed in zip(gradients, ctx.needs, strict=True)]
        return None, None, *scaled

    @staticmethod
    def vmap(*_: Any) -> NoReturn:
        raise NotImplementedError(
            "This cost solves for its value, which torch.vmap cannot see through. Call cost.batched(x, y) instead, with "
            "clouds of shape (B, N, D): it returns one value for each."
        )


def _times(outer: Tensor, gradient: Tensor) -> Tensor:
    """Returns a gradient times that of its value, or of each value of a batch."""
    return outer.reshape(outer.shape + (1,) * (gradient.ndim - outer.ndim)) * gradient


class _Last(torch.autograd.Function):
    """Refuses the gradient of a gradient, which would be silently wrong."""

    @staticmethod
    def forward(gradient: Tensor, *_: Tensor) -> Tensor:
        return gradient.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> NoReturn:
        raise NotImplementedError(
            "This cost has no second derivatives: its gradient holds still what solving for it has found. "
            "For a penalty on gradients, take a cost in closed form, such as 'sliced' or 'mmd'."
        )
