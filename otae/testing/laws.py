"""The laws that every cost keeps, as tests that `CostSuite` adds to its own."""

from __future__ import annotations

from .laws_of_calls import CallLaws
from .laws_of_derivatives import DerivativeLaws
from .laws_of_solutions import SolutionLaws
from .laws_of_space import SpaceLaws
from .laws_of_weights import WeightLaws


class CostLaws(SpaceLaws, WeightLaws, DerivativeLaws, CallLaws, SolutionLaws):
    """Holds all laws of costs."""
