"""Which backend sums over pairs: dense torch in blocks, or KeOps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from .pairs import Pairs

Backend: TypeAlias = Literal["auto", "dense", "keops"]


def chosen(backend: Backend, pairs: Sequence[Pairs]) -> Literal["dense", "keops"]:
    """Returns the backend that sums over the given pairs.

    Args:
        backend: What was asked for.
        pairs: The pairs, all with shape (N, M).
    """
    return "dense" if backend == "auto" else backend
