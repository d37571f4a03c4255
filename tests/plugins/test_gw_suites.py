"""The solved Gromov-Wasserstein costs and their variants on the rules of costs."""

from __future__ import annotations

from typing import Any

import pytest

from otae.testing import CostSuite
from otae_gromov import GW, FusedGW, GWGap, InnerProductGW, SlicedGW, SpectralGW

TIGHT: dict[str, Any] = {"tolerance": 1e-10, "max_iterations": 1000}


class BetweenSpaces(CostSuite):
    """Abstract base of the suites of costs that know isometries of either space, and are fourth powers of a length."""

    target_shapes = ((2, 3),)
    moves_freely = True
    isometries = True
    degree = 4.0


class TestEntropicGW(BetweenSpaces):
    plugin = GW
    options = {"epsilon": 30.0, **TIGHT}
    counts_multiplicity = True
    lengths = {"epsilon": 4.0}


class TestGWAtItsOwnTemperature(BetweenSpaces):
    plugin = GW
    options = TIGHT


class TestExactGW(BetweenSpaces):
    plugin = GW
    options = {"solver": "exact", "starts": 2}
    vanishes = True


class TestEuclideanGW(CostSuite):
    plugin = GW
    options = {"ground": "euclidean", "epsilon": 0.5, **TIGHT}
    counts_multiplicity = True
    moves_freely = True
    isometries = True
    degree = 2.0
    lengths = {"epsilon": 2.0}


class TestDebiasedGW(CostSuite):
    plugin = GW
    options = {"debias": "same", "epsilon": 50.0, **TIGHT}
    counts_multiplicity = True
    vanishes = True
    moves_freely = True
    isometries = True
    degree = 4.0
    lengths = {"epsilon": 4.0}


@pytest.mark.slow
class TestFusedGW(CostSuite):
    plugin = FusedGW
    options = {"epsilon": 5.0, **TIGHT}
    counts_multiplicity = True
    moves_freely = True


class TestExactFusedGW(CostSuite):
    plugin = FusedGW
    options = {"solver": "exact", "starts": 2}
    vanishes = True
    moves_freely = True


@pytest.mark.slow
class TestFusedGWOfDistancesInside(BetweenSpaces):
    plugin = FusedGW
    target_shapes = None
    options = {"alpha": 1.0, "epsilon": 30.0, **TIGHT}
    counts_multiplicity = True
    lengths = {"epsilon": 4.0}


@pytest.mark.slow
class TestFusedGWOfDistancesBetween(CostSuite):
    plugin = FusedGW
    options = {"alpha": 0.0, "epsilon": 2.0, **TIGHT}
    counts_multiplicity = True
    moves_freely = True
    degree = 2.0
    lengths = {"epsilon": 2.0}


@pytest.mark.slow
class TestInnerProductGW(BetweenSpaces):
    plugin = InnerProductGW
    options = {"epsilon": 20.0, **TIGHT}
    counts_multiplicity = True
    lengths = {"epsilon": 4.0}


class TestExactInnerProductGW(BetweenSpaces):
    plugin = InnerProductGW
    options = {"solver": "exact", "starts": 2}
    vanishes = True


@pytest.mark.slow
class TestGWGap(BetweenSpaces):
    plugin = GWGap
    options = {"epsilon": 100.0, **TIGHT}
    counts_multiplicity = True
    lengths = {"epsilon": 4.0}


class TestExactGWGap(BetweenSpaces):
    plugin = GWGap
    options = {"solver": "exact"}
    differentiates_weights = (
        False  # of equal masses on both sides, an exact plan has many potentials: slopes of one side
    )
    vanishes = True


class TestSpectralGW(BetweenSpaces):
    plugin = SpectralGW
    counts_multiplicity = True
    vanishes = True


class TestSquaredSpectralGW(BetweenSpaces):
    plugin = SpectralGW
    options = {"bound": "sqeuclidean"}
    counts_multiplicity = True
    vanishes = True


class TestSlicedGW(CostSuite):
    plugin = SlicedGW
    counts_multiplicity = True
    vanishes = True
    moves_freely = True
    degree = 4.0
    draws = True


class TestSlicedGWOfTwoSpaces(TestSlicedGW):
    target_shapes = ((2, 3),)
    vanishes = False
