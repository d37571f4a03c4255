"""Costs that look at laws instead of points: entropy, and the Kullback-Leibler divergence."""

from __future__ import annotations

from .entropy import Entropy
from .kl import KL

__all__ = ["KL", "Entropy"]
