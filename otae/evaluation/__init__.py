"""Evaluation: one call, many metrics; results as JSON."""

from __future__ import annotations

from .assessment import evaluate
from .judgement import judge
from .progress import Steps
from .result import Evaluation
from .selection import check_metrics
from .specimens import Specimens

__all__ = ["Evaluation", "Specimens", "Steps", "check_metrics", "evaluate", "judge"]
