"""The Sinkhorn divergence: its problems, who solves them, and the cost."""

from __future__ import annotations

from .sinkhorn import Sinkhorn

__all__ = ["Sinkhorn"]
