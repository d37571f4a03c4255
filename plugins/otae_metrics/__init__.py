"""Metrics: reconstruction and generation, the codes' match to the prior, structure kept, factors disentangled."""

from __future__ import annotations

from .beta_vae import BetaVAE
from .clustering import Clustering
from .components import Components
from .dci import DCI
from .distortion import Distortion
from .factor_vae import FactorVAE
from .frechet import Frechet
from .gromov import Gromov
from .infomec import InfoMEC
from .irs import IRS
from .kernel_distance import KernelDistance
from .match import Match
from .memorisation import Memorisation
from .mig import MIG
from .modularity import Modularity
from .neighbourhood import Neighbourhood
from .outliers import Outliers
from .precision_recall import PrecisionRecall
from .prior_mmd import PriorMMD
from .prior_sinkhorn import PriorSinkhorn
from .probe import Probe
from .reconstruction import Reconstruction
from .sap import SAP
from .triplets import Triplets
from .two_sample import TwoSample

__all__ = [
    "BetaVAE",
    "Clustering",
    "Components",
    "DCI",
    "Distortion",
    "FactorVAE",
    "Frechet",
    "Gromov",
    "IRS",
    "InfoMEC",
    "KernelDistance",
    "MIG",
    "Match",
    "Memorisation",
    "Modularity",
    "Neighbourhood",
    "Outliers",
    "PrecisionRecall",
    "PriorMMD",
    "PriorSinkhorn",
    "Probe",
    "Reconstruction",
    "SAP",
    "Triplets",
    "TwoSample",
]
