"""Wasserstein costs: couplings given, solved, entropic, sliced, of normal laws; and the dual potential of a critic."""

from __future__ import annotations

from .critic import Critic
from .exact import Exact
from .gaussian import Gaussian
from .grounds import L1, Bernoulli, Chamfer
from .paired import Paired
from .sinkhorn import Sinkhorn
from .sliced import GeneralizedSliced, MaxSliced, Sliced

__all__ = [
    "L1",
    "Bernoulli",
    "Chamfer",
    "Critic",
    "Exact",
    "Gaussian",
    "GeneralizedSliced",
    "MaxSliced",
    "Paired",
    "Sinkhorn",
    "Sliced",
]
