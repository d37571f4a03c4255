"""Conformance suites for plugin authors: subclass one in a test, name the class, and pytest checks the rules of its kind."""

from __future__ import annotations

from .cost_suite import CostSuite
from .dataset_suite import DatasetSuite
from .decoder_suite import DecoderSuite
from .encoder_suite import EncoderSuite
from .ground_suite import GroundSuite
from .kernel_suite import KernelSuite
from .metric_suite import MetricSuite
from .prior_suite import PriorSuite
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
]
