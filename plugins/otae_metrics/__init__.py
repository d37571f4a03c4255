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
from .match import Match
from .mig import MIG
from .modularity import Modularity
from .neighbourhood import Neighbourhood
from .prior_mmd import PriorMMD
from .prior_sinkhorn import PriorSinkhorn
from .probe import Probe
from .reconstruction import Reconstruction
from .sap import SAP
from .triplets import Triplets

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
    "MIG",
    "Match",
    "Modularity",
    "Neighbourhood",
    "PriorMMD",
    "PriorSinkhorn",
    "Probe",
    "Reconstruction",
    "SAP",
    "Triplets",
]
