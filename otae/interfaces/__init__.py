"""What a plugin implements: one abstract class for each kind of part."""

from __future__ import annotations

from .cost import Cost
from .dataset import Dataset
from .decoder import Decoder
from .dirac import Dirac
from .encoder import Encoder
from .metric import Metric, Specimen
from .prior import Prior

__all__ = ["Cost", "Dataset", "Decoder", "Dirac", "Encoder", "Metric", "Prior", "Specimen"]
