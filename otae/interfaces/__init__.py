"""What a plugin implements: one abstract class for each kind of part."""

from __future__ import annotations

from .components import Components
from .cost import Cost
from .dataset import Dataset
from .decoder import Decoder
from .dirac import Dirac
from .encoder import Encoder
from .metric import Metric, Specimen
from .plan import Plan
from .prior import Prior
from .solution import Solution
from .source import Download, Source, data_folder

__all__ = [
    "Components",
    "Cost",
    "Dataset",
    "Decoder",
    "Dirac",
    "Download",
    "Encoder",
    "Metric",
    "Plan",
    "Prior",
    "Solution",
    "Source",
    "Specimen",
    "data_folder",
]
