"""Functions of numbers that are safe at zero and fast where they underflow, and the precision that sums are kept in."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

Numbers = TypeVar("Numbers")  # a tensor, or a LazyTensor of KeOps


def safe_sqrt(squared: Numbers) -> Numbers:
    """Returns the square root, with gradient 0 instead of infinity where the argument is 0.

    Args:
        squared: Non-negative values, with any shape; a tensor or a LazyTensor.
    """
    return safe_power(squared, 0.5)


def safe_power(values: Numbers, power: float) -> Numbers:
    """Returns a power, with gradients of every order 0 instead of infinite where the argument is 0.

    Args:
        values: Non-negative values, with any shape; a tensor or a LazyTensor.
        power: The exponent, positive.
    """
    if not isinstance(values, Tensor):
        return cast("Numbers", _lazy_power(values, power))
    return cast("Numbers", _Power.apply(values, power))  # type: ignore[no-untyped-call]


def safe_exp(exponents: Numbers) -> Numbers:
    """Returns the exponential, at the least the smallest normal number.

    Underflow takes the processor up to thirty times as long as any other value: it is cut off, along with its gradient.

    Args:
        exponents: Values with any shape; a tensor or a LazyTensor.
    """
    if not isinstance(exponents, Tensor):
        lazy: Any = exponents
        return cast("Numbers", lazy.exp())
    return cast("Numbers", _Exponential.apply(exponents))  # type: ignore[no-untyped-call]


def least_exponent(dtype: torch.dtype) -> float:
    """Returns the least number whose exponential is a normal number of a type.

    Args:
        dtype: A floating-point type.
    """
    return math.log(torch.finfo(dtype).tiny) + 1


def in_transform() -> bool:
    """Tells whether `torch.func` or `torch.vmap` is at work, which know no NumPy, no given memory and no numbers."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def precise(points: Tensor) -> Tensor:
    """Returns the points in single precision at least: half precision is too coarse for differences of points.

    Args:
        points: Values of a floating-point type, with any shape.
    """
    return points.to(torch.promote_types(points.dtype, torch.float32))


def _lazy_power(values: Any, power: float) -> Any:
    """Returns a power of a LazyTensor; KeOps' own are of single precision, and their slopes infinite at 0."""
    if power in _ROOTS:
        return _ROOTS[power](values)
    return (values - torch.finfo(torch.float32).tiny).ifelse((power * values.log()).exp(), 0)


_ROOTS: dict[float, Callable[[Any], Any]] = {
    0.5: lambda values: values.sqrt(),  # KeOps takes 0 for its slope at 0
    1.0: lambda values: values,
    1.5: lambda values: values * values.sqrt(),
    2.0: lambda values: values.square(),
}


class _Power(torch.autograd.Function):
    """Computes powers whose slope at 0 is 0, without masks: these take ten times as long as arithmetic."""

    generate_vmap_rule = True

    @staticmethod
    def forward(values: Tensor, power: float) -> Tensor:
        return values.sqrt() if power == 0.5 else values.pow(power)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)
        ctx.power = inputs[1]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        values, powers = ctx.saved_tensors
        slopes = powers / values.clamp_min(torch.finfo(values.dtype).tiny)
        return gradients[0] * (ctx.power * slopes), None


class _Exponential(torch.autograd.Function):
    """Computes exponentials that do not underflow, and their gradients without a mask."""

    generate_vmap_rule = True

    @staticmethod
    def forward(exponents: Tensor) -> Tensor:
        return exponents.clamp_min(least_exponent(exponents.dtype)).exp_()

    @staticmethod
    def setup_context(ctx: Any, _: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors
        slopes: Tensor = gradients[0] * values
        return slopes
