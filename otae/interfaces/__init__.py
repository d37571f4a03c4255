"""What a plugin implements: one abstract class for each kind of part."""

from __future__ import annotations

from .batch import Batch, move_to_heaviest
from .components import Components
from .cost import Cost
from .dataset import Dataset, Feature
from .decoder import Decoder
from .dirac import Dirac
from .encoder import Encoder
from .factors import Factor, Factors
from .figures import Estimate, Figure, FigureValue, Missing, Table
from .ground import DistancePower, Ground
from .in_memory import InMemory
from .kernel import Kernel, Sum, Weighted, split_count
from .metric import Metric, Samples, Specimen
from .plain import PlainDecoder, PlainEncoder
from .plan import Plan
from .preparation import Preparation
from .prior import Prior
from .solution import Solution
from .source import Download, Source, data_folder
from .trained import TrainedModel, TrainedObjective, TrainedTerm

__all__ = [
    "Batch",
    "Components",
    "Cost",
    "Dataset",
    "Decoder",
    "Dirac",
    "DistancePower",
    "Download",
    "Encoder",
    "Estimate",
    "Factor",
    "Factors",
    "Feature",
    "Figure",
    "FigureValue",
    "Ground",
    "Kernel",
    "InMemory",
    "Metric",
    "Missing",
    "PlainDecoder",
    "PlainEncoder",
    "Plan",
    "Preparation",
    "Prior",
    "Solution",
    "Samples",
    "Source",
    "Specimen",
    "Sum",
    "Table",
    "TrainedModel",
    "TrainedObjective",
    "TrainedTerm",
    "Weighted",
    "data_folder",
    "move_to_heaviest",
    "split_count",
]
