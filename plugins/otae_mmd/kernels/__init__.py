"""Kernels: what a maximum mean discrepancy sees of two points."""

from __future__ import annotations

from .energy import Energy
from .imq import IMQ
from .length_kernels import Gaussian, Laplacian, RationalQuadratic

__all__ = ["IMQ", "Energy", "Gaussian", "Laplacian", "RationalQuadratic"]
