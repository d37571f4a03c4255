"""Random numbers of a batch that lies on several processes: drawn for the whole of it, each process keeping its own rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from .collectives import gather_rows

_aten: Any = torch.ops.aten
_cuda: Any = torch.cuda
_FILLS = {
    _aten.normal_, _aten.uniform_, _aten.exponential_, _aten.cauchy_, _aten.log_normal_, _aten.geometric_, _aten.random_,
    _aten.bernoulli_,
}  # fmt: skip
_LIKE = {_aten.randn_like, _aten.rand_like}
_NEW = {_aten.randn, _aten.rand}
_BY_PARAMETERS = {
    _aten.normal, _aten.bernoulli, _aten.poisson, _aten.binomial, _aten._standard_gamma, _aten._sample_dirichlet,
}  # fmt: skip


class WholeDraws(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Holds the place of a process's rows in a batch: each tensor of noise with as many rows is drawn for the whole batch.

    All processes draw alike from one random state, so that a row has the noise that it would have on one process, and no
    two rows have the same. Noise that is not drawn by rows is the same on all processes.

    Args:
        sizes: The number of rows of each process.
        rank: The number of this process.
    """

    def __init__(self, sizes: tuple[int, ...], rank: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sizes, self.rank = sizes, rank

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        packet, options = func.overloadpacket, dict(kwargs or {})
        drawn = self._draw(packet, func, args, options) if options.get("generator") is None else None
        return func(*args, **options) if drawn is None else drawn

    def _draw(self, packet: Any, func: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
        first = args[0] if args else None
        if isinstance(first, Tensor) and self._is_ours(first.shape):
            if packet in _FILLS and not any(isinstance(each, Tensor) for each in args[1:]):
                whole = self._widen(first)
                return first.copy_(self._keep(func(whole, *args[1:], **options)))
            if packet in _LIKE:
                return self._keep(func(self._widen(first), **options))
            if packet in _BY_PARAMETERS:
                wide = [gather_rows(each, self.sizes, self.rank) if _has_rows(each, first) else each for each in args]
                return self._keep(func(*wide, **options))
        if packet in _NEW and self._is_ours(tuple(first or ())):
            return self._keep(func([sum(self.sizes), *args[0][1:]], *args[1:], **options))
        return None

    def _is_ours(self, shape: tuple[int, ...]) -> bool:
        return len(shape) > 0 and shape[0] == self.sizes[self.rank]

    def _widen(self, like: Tensor) -> Tensor:
        return like.new_empty(sum(self.sizes), *like.shape[1:])

    def _keep(self, whole: Tensor) -> Tensor:
        start = sum(self.sizes[: self.rank])
        return whole[start : start + self.sizes[self.rank]].clone()


def _has_rows(value: object, first: Tensor) -> bool:
    return isinstance(value, Tensor) and value.ndim > 0 and len(value) == len(first)


def find_state() -> Callable[[], None]:
    """Returns what restores the states of torch's global generators as they are now."""
    cpu = torch.get_rng_state()
    cuda = _cuda.get_rng_state() if _cuda.is_initialized() else None

    def restore() -> None:
        torch.set_rng_state(cpu)
        if cuda is not None:
            _cuda.set_rng_state(cuda)

    return restore


def read_state() -> int:
    """Returns a number that tells apart states of torch's global generators, exact in double precision."""
    states = [torch.get_rng_state(), *([_cuda.get_rng_state()] if _cuda.is_initialized() else [])]
    return crc32(b"".join(each.numpy().tobytes() for each in states)) % 2**16
