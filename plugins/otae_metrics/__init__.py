"""Metrics: reconstruction and generation against a linear model, the codes' match to the prior, distances kept."""

from __future__ import annotations

from .clustering import Clustering
from .components import Components
from .distortion import Distortion
from .frechet import Frechet
from .prior_mmd import PriorMMD
from .probe import Probe
from .reconstruction import Reconstruction

__all__ = ["Clustering", "Components", "Distortion", "Frechet", "PriorMMD", "Probe", "Reconstruction"]
