"""Kernel costs: the maximum mean discrepancy."""

from __future__ import annotations

from .mmd import MMD

__all__ = ["MMD"]
