"""Prior families: three fixed laws, and three that learn, each named by the meta-prior it brings."""

from __future__ import annotations

from .factorized import Factorized
from .gaussian import Gaussian
from .mixture import Mixture
from .neural import Neural
from .sphere import Sphere
from .uniform import Uniform

__all__ = ["Factorized", "Gaussian", "Mixture", "Neural", "Sphere", "Uniform"]
