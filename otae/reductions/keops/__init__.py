"""KeOps: loaded in silence, one process at a time, from files that are whole; and what sums by it."""

from __future__ import annotations

from .library import cache_folder, load, obstacle

__all__ = ["cache_folder", "load", "obstacle"]
