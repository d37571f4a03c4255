"""Prior families: fixed laws, laws that learn, each named by the meta-prior it brings, and laws fitted to codes."""

from __future__ import annotations

from .causal import Causal
from .codebook import Codebook
from .dirichlet import Dirichlet
from .empirical import Empirical
from .factorized import Factorized
from .flow import Flow
from .gaussian import Gaussian
from .mixture import Mixture
from .neural import Neural
from .ring import Ring
from .sphere import Sphere
from .student_t import StudentT
from .uniform import Uniform
from .vamp import Vamp

__all__ = [
    "Causal",
    "Codebook",
    "Dirichlet",
    "Empirical",
    "Factorized",
    "Flow",
    "Gaussian",
    "Mixture",
    "Neural",
    "Ring",
    "Sphere",
    "StudentT",
    "Uniform",
    "Vamp",
]
