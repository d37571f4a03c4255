"""Gromov-Wasserstein costs: discrepancies between clouds of different spaces."""

from __future__ import annotations

from .coupled_gw import CoupledGW

__all__ = ["CoupledGW"]
