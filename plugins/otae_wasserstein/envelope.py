"""Values whose gradients are known without differentiating what found them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn, cast

import torch
from torch import Tensor


def with_gradients(value: Tensor, inputs: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> Tensor:
    """Returns a value with given gradients, a scalar; to ask for gradients of these is an error.

    Args:
        value: The value, a scalar cut from the graph.
        inputs: What it depends on.
        gradients: Its gradient to each, with that one's shape; `None` for an input that needs none.
    """
    return cast("Tensor", _Known.apply(value, gradients, *inputs))  # type: ignore[no-untyped-call]


class _Known(torch.autograd.Function):
    """Hands known gradients back."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, gradients: Sequence[Tensor | None], *inputs: Tensor) -> Tensor:
        ctx.save_for_backward(*gradients, *inputs)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        count = len(ctx.saved_tensors) // 2
        gradients, inputs = ctx.saved_tensors[:count], ctx.saved_tensors[count:]
        if torch.is_grad_enabled():  # the gradient is asked for with a graph of its own
            gradients = [None if each is None else _Last.apply(each, *inputs) for each in gradients]  # type: ignore[no-untyped-call]
        return None, None, *(None if each is None else outer[0] * each for each in gradients)


class _Last(torch.autograd.Function):
    """Refuses the gradient of a gradient, which would be silently wrong."""

    @staticmethod
    def forward(_: Any, gradient: Tensor, *__: Tensor) -> Tensor:
        return gradient.clone()

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> NoReturn:
        raise NotImplementedError(
            "This cost has no second derivatives: its gradient holds still what solving for it has found. "
            "For a penalty on gradients, take a cost in closed form, such as 'sliced' or 'mmd'."
        )
