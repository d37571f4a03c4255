"""The mean of a radial kernel over all pairs, whose gradient comes from the same pass over tiles of the matrix."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor

from otae.reductions import Backend, Radial, Squares, in_transform, kernel_mean
from otae.reductions.backend import choose

_TILE = 2**17  # entries of a tile for each thread: with its derivatives it stays in a core's cache
_FEW = 16  # dimensions up to which it pays to lay points out by dimension
_DEVICE_TILE = 2**24  # the same on other devices, which want large ones
_PRIMER = 2**25 - 2**16  # bytes: just below the largest size up to which glibc's malloc learns to keep what is freed


def radial_mean(kernel: Radial, pairs: Squares, a: Tensor, b: Tensor, backend: Backend = "auto") -> Tensor:
    r"""Returns the mean of a radial kernel over all pairs under the points' masses, a scalar.

    $$\sum_{i=1}^N \sum_{j=1}^M a_i b_j \, k(\|x_i - y_j\|^2)$$

    Memory is O((N+M) D), and gradients of every order run to points and masses. The first gradient is computed
    along with the value, tile by tile in the processor's cache; of a cloud's pairs with itself, each is visited once.

    Args:
        kernel: The kernel.
        pairs: The squared distances, with shape (N, M).
        a: The masses of the first points, with shape (N,).
        b: The masses of the second points, with shape (M,); the same tensor as `a` for a cloud with itself.
        backend: `dense`, `keops` or `auto`.

    Raises:
        BackendError: If KeOps is asked for and cannot run here.
    """
    if choose(backend, [pairs]) == "keops" or in_transform():
        return kernel_mean(kernel.of, pairs, a, b, backend)
    inputs = (pairs.x, a) if pairs.alone and a is b else (pairs.x, a, pairs.y, b)
    return cast("Tensor", _Mean.apply(kernel, pairs, *inputs))  # type: ignore[no-untyped-call]


class _Mean(torch.autograd.Function):
    """Computes the mean together with its gradient; gradients of that come from a second, recorded computation."""

    @staticmethod
    def forward(ctx: Any, kernel: Radial, pairs: Squares, *inputs: Tensor) -> Tensor:
        ctx.kernel, ctx.pairs, needed = kernel, pairs, ctx.needs_input_grad[2:]
        sides = [_Side(inputs[at], inputs[at + 1], *needed[at : at + 2]) for at in range(0, len(inputs), 2)]
        source, target = sides[0], sides[-1]
        _gather(kernel, pairs, source, target)
        gradients = [each for side, other in zip(sides, sides[::-1], strict=True) for each in side.gradients(other)]
        ctx.save_for_backward(*inputs, *gradients)
        return torch.dot(inputs[1], source.sums) / target.count

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        count = len(ctx.saved_tensors) // 2
        inputs, gradients = ctx.saved_tensors[:count], ctx.saved_tensors[count:]
        if torch.is_grad_enabled():
            gradients = _record(ctx.kernel, ctx.pairs, inputs, ctx.needs_input_grad[2:])
        return None, None, *(None if gradient is None else outer[0] * gradient for gradient in gradients)


class _Side:
    """Holds what one cloud gathers from all pairs: sums of the kernel, and pulls on its points.

    Args:
        points: The points, with shape (N, D).
        masses: Their masses, with shape (N,).
        pulled: Whether a gradient of the points is asked for.
        weighed: Whether one of the masses is.
    """

    def __init__(self, points: Tensor, masses: Tensor, pulled: bool, weighed: bool) -> None:
        self.count = points.shape[0]
        self.points, self.masses, self.pulled, self.weighed = points, masses * self.count, pulled, weighed
        self.uniform = masses.stride(0) == 0
        self.sums = torch.zeros_like(self.masses)
        if pulled:
            self.slopes = torch.zeros_like(self.masses)
            self.pulls = torch.zeros_like(_by_dimension(points))

    @cached_property
    def weighted(self) -> Tensor:
        """Returns the points times their masses, with shape (D, N)."""
        return _by_dimension(self.points if self.uniform else self.masses[:, None] * self.points)

    def gather(self, here: slice, values: Tensor, slopes: Tensor, other: _Side, there: slice) -> None:
        """Adds one tile of pairs.

        Args:
            here: The points of this side, the rows of the tile.
            values: The kernel, with shape (B, C).
            slopes: Its derivatives, with shape (B, C).
            other: The side of the columns.
            there: The points of that side.
        """
        self.sums[here].addmv_(values, other.masses[there])
        if self.pulled:
            self.slopes[here].addmv_(slopes, other.masses[there])
            self.pulls[:, here].addmm_(other.weighted[:, there], slopes.T)

    def gradients(self, other: _Side) -> tuple[Tensor | None, Tensor | None]:
        """Returns the gradients of points and masses; twice as large where the cloud is paired with itself."""
        times = (2 if other is self else 1) / other.count
        of_masses = self.sums * times if self.weighed else None
        if not self.pulled:
            return None, of_masses
        pulls = self.pulls.T.addcmul_(self.slopes[:, None], self.points, value=-1)
        return pulls.mul_(self.masses[:, None] * (-2 * times / self.count)), of_masses


def _gather(kernel: Radial, pairs: Squares, source: _Side, target: _Side) -> None:
    mirrored, pulled = source is target, source.pulled or target.pulled
    for rows, columns in _tiles(*pairs.shape, _tile(pairs.x.device), mirrored):
        squared = pairs.block(rows, columns)
        values, slopes = kernel.differentiate(squared) if pulled else (kernel.of(squared), squared)
        source.gather(rows, values, slopes, target, columns)
        if (mirrored and rows != columns) or (not mirrored and (target.pulled or target.weighed)):
            target.gather(columns, values.T, slopes.T, source, rows)


def _by_dimension(points: Tensor) -> Tensor:
    """Returns points with shape (D, N); few dimensions lie one after the other, as matrix products want them."""
    return points.T.contiguous() if points.shape[1] <= _FEW else points.T


def _record(
    kernel: Radial, pairs: Squares, inputs: tuple[Tensor, ...], needed: tuple[bool, ...]
) -> tuple[Tensor | None, ...]:
    mean = kernel_mean(kernel.of, pairs, inputs[1], inputs[-1], "dense")
    wanted = [each for each, need in zip(inputs, needed, strict=True) if need]
    found = iter(torch.autograd.grad(mean, wanted, create_graph=True))
    return tuple(next(found) if need else None for need in needed)


def _tiles(rows: int, columns: int, entries: int, mirrored: bool) -> Iterator[tuple[slice, slice]]:
    height = min(rows, max(math.isqrt(entries), entries // columns))
    down = _cuts(rows, height)
    across = down if mirrored else _cuts(columns, max(1, entries // height))
    for index, part in enumerate(down):
        yield from ((part, other) for other in (across[index:] if mirrored else across))


def _cuts(count: int, largest: int) -> list[slice]:
    parts = math.ceil(count / largest)
    ends = [count * part // parts for part in range(parts + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]


def _tile(device: torch.device) -> int:
    if device.type != "cpu":
        return _DEVICE_TILE
    torch.empty(_PRIMER, dtype=torch.uint8)  # freed at once: malloc then keeps tiles, and maps no fresh pages for each
    return _TILE * torch.get_num_threads()
