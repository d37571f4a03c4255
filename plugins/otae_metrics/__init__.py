"""Metrics: reconstruction and generation against a linear model, the codes' match to the prior, distances kept."""

from __future__ import annotations

from .clustering import Clustering
from .components import Components
from .distortion import Distortion
from .frechet import Frechet
from .kernel_distance import KernelDistance
from .memorisation import Memorisation
from .precision_recall import PrecisionRecall
from .prior_mmd import PriorMMD
from .probe import Probe
from .reconstruction import Reconstruction
from .two_sample import TwoSample

__all__ = [
    "Clustering",
    "Components",
    "Distortion",
    "Frechet",
    "KernelDistance",
    "Memorisation",
    "PrecisionRecall",
    "PriorMMD",
    "Probe",
    "Reconstruction",
    "TwoSample",
]
