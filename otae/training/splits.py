"""The split of a dataset into train, validation and test, by seed."""

from __future__ import annotations

from ..splits import Splits, split

__all__ = ["Splits", "split"]
