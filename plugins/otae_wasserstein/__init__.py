"""Wasserstein costs: couplings given, solved, entropic, sliced, of normal laws; and the dual potential of a critic."""

from __future__ import annotations

from .critic import Critic
from .exact import Exact
from .gaussian import Gaussian
from .generalized_sliced import GeneralizedSliced
from .max_sliced import MaxSliced
from .paired import Paired
from .sinkhorn import Sinkhorn
from .sliced import Sliced

__all__ = ["Critic", "Exact", "Gaussian", "GeneralizedSliced", "MaxSliced", "Paired", "Sinkhorn", "Sliced"]
