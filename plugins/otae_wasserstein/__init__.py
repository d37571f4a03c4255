"""Wasserstein costs: the coupling of paired samples, and the dual potential of a critic."""

from __future__ import annotations

from .critic import Critic
from .paired import Paired

__all__ = ["Critic", "Paired"]
