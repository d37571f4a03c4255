"""Metrics: reconstruction and generation against a linear model, and how far a model keeps distances."""

from __future__ import annotations

from .distortion import Distortion
from .frechet import Frechet
from .reconstruction import Reconstruction

__all__ = ["Distortion", "Frechet", "Reconstruction"]
