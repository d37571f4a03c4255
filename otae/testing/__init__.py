"""For plugin authors: conformance suites, to subclass and name a class in, and transport problems with their answers."""

from __future__ import annotations

from .cost_suite import CostSuite
from .dataset_suite import DatasetSuite
from .decoder_suite import DecoderSuite
from .encoder_suite import EncoderSuite
from .ground_suite import GroundSuite
from .kernel_suite import KernelSuite
from .metric_suite import MetricSuite
from .prior_suite import PriorSuite
from .problems import (
    TransportProblem,
    clouds_on_a_line,
    diracs,
    gaussian_clouds,
    isometric_clouds,
    translated_clouds,
    two_points,
    unbalanced_diracs,
)
from .recipe_suite import RecipeSuite

__all__ = [
    "CostSuite",
    "DatasetSuite",
    "DecoderSuite",
    "EncoderSuite",
    "GroundSuite",
    "KernelSuite",
    "MetricSuite",
    "PriorSuite",
    "RecipeSuite",
    "TransportProblem",
    "clouds_on_a_line",
    "diracs",
    "gaussian_clouds",
    "isometric_clouds",
    "translated_clouds",
    "two_points",
    "unbalanced_diracs",
]
