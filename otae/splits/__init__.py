"""The splits of a run's data into training, validation and test: drawn by a rule, or sets of their own."""

from __future__ import annotations

from .drawing import draw_splits, split
from .joined import Joined
from .own_sets import open_data
from .splits import Splits

__all__ = ["Joined", "Splits", "draw_splits", "open_data", "split"]
