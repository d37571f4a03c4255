"""Kernel costs: the maximum mean discrepancy, exact and by random features or projections, and the Cramér-Wold distance."""

from __future__ import annotations

from .cramer_wold import CramerWold
from .kernels import IMQ, Energy, Gaussian, Laplacian, RationalQuadratic
from .mmd import MMD
from .random_features import RandomFeatures
from .sliced_energy import SlicedEnergy

__all__ = [
    "IMQ",
    "MMD",
    "CramerWold",
    "Energy",
    "Gaussian",
    "Laplacian",
    "RandomFeatures",
    "RationalQuadratic",
    "SlicedEnergy",
]
