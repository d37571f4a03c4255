"""Sliced costs: transport of what functions with one value, such as projections, make of the clouds."""

from __future__ import annotations

from .generalized_sliced import GeneralizedSliced
from .max_sliced import MaxSliced
from .sliced import Sliced

__all__ = ["GeneralizedSliced", "MaxSliced", "Sliced"]
