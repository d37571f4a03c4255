"""The configuration of an experiment: sections with types and bounds, and YAML in and out."""

from __future__ import annotations

from .components import Component, Section
from .evaluation import EvaluationConfig, SplitName
from .experiment import Experiment, parse
from .parts import CloudNames, DataConfig, Groups, HeldOut, ModelConfig, OwnSet, TermConfig
from .training import (
    PARTS,
    AdversaryConfig,
    EarlyStoppingConfig,
    OptimizerConfig,
    PartConfig,
    PartName,
    SchedulerConfig,
    TrainingConfig,
)

__all__ = [
    "AdversaryConfig",
    "CloudNames",
    "Component",
    "DataConfig",
    "EarlyStoppingConfig",
    "EvaluationConfig",
    "Experiment",
    "Groups",
    "HeldOut",
    "ModelConfig",
    "OptimizerConfig",
    "OwnSet",
    "PARTS",
    "PartConfig",
    "PartName",
    "SchedulerConfig",
    "Section",
    "SplitName",
    "TermConfig",
    "TrainingConfig",
    "parse",
]
