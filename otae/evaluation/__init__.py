"""Evaluation: one call, many metrics; results as JSON."""

from __future__ import annotations

from .judgement import evaluate
from .specimens import Specimens

__all__ = ["Specimens", "evaluate"]
