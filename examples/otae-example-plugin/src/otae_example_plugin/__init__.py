"""A prior of sparse codes and a cost of two moments, offered to otae by their entry points."""

from __future__ import annotations

from .laplace import Laplace
from .moments import Moments

__all__ = ["Laplace", "Moments"]
