"""Metrics: reconstruction and generation, the codes' match to the prior, structure kept, factors disentangled."""

from __future__ import annotations

from .beta_vae import BetaVAE
from .dci import DCI
from .distortion import Distortion
from .factor_vae import FactorVAE
from .frechet import Frechet
from .infomec import InfoMEC
from .irs import IRS
from .match import Match
from .mig import MIG
from .modularity import Modularity
from .prior_mmd import PriorMMD
from .reconstruction import Reconstruction
from .sap import SAP

__all__ = [
    "BetaVAE",
    "DCI",
    "Distortion",
    "FactorVAE",
    "Frechet",
    "IRS",
    "InfoMEC",
    "MIG",
    "Match",
    "Modularity",
    "PriorMMD",
    "Reconstruction",
    "SAP",
]
