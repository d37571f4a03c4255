"""The squared maximum mean discrepancies of a batch of pairs of clouds, of radial kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from otae.errors import CloudError
from otae.interfaces import Batch, Kernel
from otae.reductions import Radial, batch_squares, squared_distances

from .estimators import ESTIMATORS, Estimator
from .kernels.profiles import mix


def fix_radial(kernel: Kernel, source: Batch, target: Batch) -> Radial | None:
    """Returns a kernel with the lengths that it has for each pair of clouds, or `None` where it has to see them one by one.

    Args:
        kernel: The kernel.
        source: The source clouds, with shape (B, N, D).
        target: The target clouds, with shape (B, M, D).
    """
    terms = [(weight, term) for weight, term in kernel.terms() if term.takes_batches]
    if len(terms) < len(kernel.terms()):
        return None
    x, y = (_drop_weightless(side) for side in (source, target))
    fixed = [cast("Radial", term.fix(x, y)) for _, term in terms]
    return mix(fixed, [weight for weight, _ in terms])


def _drop_weightless(side: Batch) -> Tensor:
    """Returns the points, cut from the graph; those without weight are no numbers."""
    points = side.points.detach()
    return points if side.weights is None else points.masked_fill((side.weights == 0)[:, :, None], torch.nan)


def compare_radially(kernel: Radial, source: Batch, target: Batch, estimator: Estimator) -> Tensor:
    """Returns the squared maximum mean discrepancies, with shape (B,); gradients of both orders run to points and weights.

    Args:
        kernel: The kernel; its lengths are numbers, or have shape (B, 1, 1).
        source: The source clouds, with shape (B, N, D).
        target: The target clouds, with shape (B, M, D).
        estimator: The estimator of the means within a cloud.

    Raises:
        CloudError: If the unbiased estimator meets a cloud with fewer than two points.
    """
    require_two(source, target, estimator)
    (x, a), (y, b) = (source.points, source.masses), (target.points, target.masses)
    at_zero, within = kernel.at_zero(x).reshape(-1, 1), ESTIMATORS[estimator]
    own = [within(mean(kernel, points, mass, points, mass), mass, at_zero) for points, mass in ((x, a), (y, b))]
    return own[0] + own[1] - 2 * mean(kernel, x, a, y, b)


def require_two(source: Batch, target: Batch, estimator: Estimator) -> None:
    """Checks that clouds have as many points as an estimator needs.

    Args:
        source: The source clouds.
        target: The target clouds.
        estimator: The estimator.

    Raises:
        CloudError: If the unbiased estimator meets a cloud with fewer than two points.
    """
    for batch, side in ((source, "source"), (target, "target")):
        if estimator == "unbiased" and bool((batch.counts < 2).any()):
            raise CloudError(
                f"The unbiased estimator averages over pairs of distinct points, but a {side} has 1 point with mass. "
                "Use clouds of at least 2, or set estimator: biased."
            )


def mean(kernel: Radial, x: Tensor, a: Tensor, y: Tensor, b: Tensor) -> Tensor:
    """Returns the means of a kernel over all pairs of each two clouds under their masses, with shape (B,).

    Args:
        kernel: The kernel.
        x: The first points, with shape (B, N, D).
        a: Their masses, with shape (B, N).
        y: The second points, with shape (B, M, D).
        b: Their masses, with shape (B, M).
    """
    return cast("Tensor", _BatchMean.apply(kernel, x, a, y, b))  # type: ignore[no-untyped-call]


class _BatchMean(torch.autograd.Function):
    """Computes means together with their gradients; gradients of those come from a second, recorded computation."""

    @staticmethod
    def forward(ctx: Any, kernel: Radial, x: Tensor, a: Tensor, y: Tensor, b: Tensor) -> Tensor:
        ctx.kernel, needed = kernel, ctx.needs_input_grad[1:]
        squares = batch_squares(x, y)
        pulled = needed[0] or needed[2]
        values, slopes = kernel.differentiate(squares) if pulled else (kernel.of(squares), None)
        of_a = torch.bmm(values, b[:, :, None])[:, :, 0]
        of_b = torch.bmm(a[:, None], values)[:, 0] if needed[3] else None
        found: list[Tensor | None] = [None, of_a if needed[1] else None, None, of_b]
        if slopes is not None:
            weights = slopes.mul_(2 * a[:, :, None]).mul_(b[:, None])
            if needed[0]:
                found[0] = weights.sum(2, keepdim=True) * x - torch.bmm(weights, y)
            if needed[2]:
                found[2] = weights.sum(1)[:, :, None] * y - torch.bmm(weights.mT, x)
        ctx.save_for_backward(x, a, y, b, *found)
        return (a * of_a).sum(1)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        inputs, gradients = ctx.saved_tensors[:4], ctx.saved_tensors[4:]
        if torch.is_grad_enabled():
            gradients = _record(ctx.kernel, inputs, ctx.needs_input_grad[1:])
        shaped = (outer[0].reshape(-1, *[1] * (each.ndim - 1)) for each in inputs)
        pairs = zip(shaped, gradients, strict=True)
        return None, *(None if gradient is None else factor * gradient for factor, gradient in pairs)


def _record(kernel: Radial, inputs: Sequence[Tensor], needed: Sequence[bool]) -> list[Tensor | None]:
    x, a, y, b = inputs
    values = kernel.of(torch.vmap(squared_distances)(x, y))
    total = torch.einsum("bi,bij,bj->", a, values, b)
    wanted = [each for each, need in zip(inputs, needed, strict=True) if need]
    found = iter(torch.autograd.grad(total, wanted, create_graph=True))
    return [next(found) if need else None for need in needed]
