"""Gromov-Wasserstein costs: discrepancies between clouds of different spaces."""

from __future__ import annotations

from .coupled_gw import CoupledGW
from .fused_gw import FusedGW
from .gw import GW
from .gw_gap import GWGap
from .inner_product_gw import InnerProductGW
from .matrix_gw import MatrixGW
from .sliced_gw import SlicedGW
from .spectral_gw import SpectralGW

__all__ = ["GW", "CoupledGW", "FusedGW", "GWGap", "InnerProductGW", "MatrixGW", "SlicedGW", "SpectralGW"]
