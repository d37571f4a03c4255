"""Metrics: reconstruction and generation, the codes' match to the prior, structure kept, factors disentangled."""

from __future__ import annotations

from .beta_vae import BetaVAE
from .clustering import Clustering
from .components import Components
from .dci import DCI
from .distortion import Distortion
from .factor_vae import FactorVAE
from .frechet import Frechet
from .infomec import InfoMEC
from .irs import IRS
from .kernel_distance import KernelDistance
from .match import Match
from .memorisation import Memorisation
from .mig import MIG
from .modularity import Modularity
from .outliers import Outliers
from .precision_recall import PrecisionRecall
from .prior_mmd import PriorMMD
from .probe import Probe
from .reconstruction import Reconstruction
from .sap import SAP
from .two_sample import TwoSample

__all__ = [
    "BetaVAE",
    "Clustering",
    "Components",
    "Distortion",
    "FactorVAE",
    "Frechet",
    "InfoMEC",
    "KernelDistance",
    "Match",
    "Memorisation",
    "Modularity",
    "Outliers",
    "PrecisionRecall",
    "PriorMMD",
    "Probe",
    "Reconstruction",
    "TwoSample",
    "DCI",
    "IRS",
    "MIG",
    "SAP",
]
