"""Datasets: handwritten digits that come with scikit-learn, NumPy files, and folders of pictures."""

from __future__ import annotations

from .arrays import Arrays
from .digits import Digits
from .images import Images

__all__ = ["Arrays", "Digits", "Images"]
