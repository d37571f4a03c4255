"""Which backend sums over pairs, dense torch in blocks or KeOps: what was asked for, or the faster one."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch

from ..errors import BackendError, unknown_name
from . import keops
from .pairs import Pairs

Backend: TypeAlias = Literal["auto", "dense", "keops"]


@dataclass(frozen=True)
class Crossover:
    """Creates the problem from which on KeOps is the faster backend of a device.

    Args:
        pairs: The least number of pairs.
        dimension: The largest number of dimensions of the points.
    """

    pairs: int
    dimension: int

    def is_passed(self, pairs: Sequence[Pairs]) -> bool:
        """Tells whether KeOps is the faster one.

        Args:
            pairs: The pairs, all with shape (N, M).
        """
        rows, columns = pairs[0].shape
        return rows * columns >= self.pairs and max(each.x.shape[1] for each in pairs) <= self.dimension


# On the CPU the dense blocks win: 8 to 40 ns a pair against 12 to 230 (benchmarks/reductions.py), but for 3 dimensions with
# gradients, where both take 30. On a GPU nothing is measured yet: dense blocks move tens of bytes a pair there, KeOps none,
# and smaller sums are over before its compilation pays.
CROSSOVERS = {"cuda": Crossover(pairs=2**24, dimension=64)}
_given_up: set[str] = set()  # types of devices


def choose(backend: Backend, pairs: Sequence[Pairs]) -> Literal["dense", "keops"]:
    """Returns the backend that sums over the given pairs.

    Args:
        backend: What was asked for.
        pairs: The pairs, all with shape (N, M).

    Raises:
        BackendError: If there is no such backend.
    """
    match backend:
        case "auto":
            return "keops" if _faster_by_keops(pairs) and _possible_by_keops(pairs) else "dense"
        case "dense":
            return "dense"
        case "keops":
            return "keops"
    raise BackendError(unknown_name("backend", backend, get_args(Backend)))


def give_up(device: str, reason: str) -> None:
    """Leaves the sums of a device to the dense backend from now on, where nobody asks for KeOps, and says so once.

    Args:
        device: The type of the device.
        reason: Why KeOps cannot compute there.
    """
    if device not in _given_up:
        _given_up.add(device)
        warnings.warn(f"Sums over pairs stay with the backend 'dense' here. {reason}", RuntimeWarning, stacklevel=4)


def _faster_by_keops(pairs: Sequence[Pairs]) -> bool:
    device = pairs[0].x.device.type
    return device in CROSSOVERS and device not in _given_up and CROSSOVERS[device].is_passed(pairs)


def _possible_by_keops(pairs: Sequence[Pairs]) -> bool:
    if torch.compiler.is_compiling():
        return True  # looked at where it is summed, which is not compiled
    reason = keops.obstacle(pairs[0].x.device.type, pairs[0].x.dtype)
    if reason:
        give_up(pairs[0].x.device.type, reason)
    return not reason
