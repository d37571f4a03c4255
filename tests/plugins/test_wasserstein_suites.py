"""The Wasserstein costs keep the rules of all costs."""

from __future__ import annotations

import pytest

from otae.testing import CostSuite
from otae_wasserstein import Exact, Gaussian, GeneralizedSliced, MaxSliced, Sinkhorn, Sliced


class TestSliced(CostSuite):
    plugin = Sliced
    counts_multiplicity = True
    vanishes = True
    moves_freely = True
    degree = 2.0
    draws = True


class TestOrthogonalSliced(TestSliced):
    options = {"orthogonal": True, "p": 1.0}
    degree = 1.0


class TestSlicedOfAnyPower(TestSliced):
    options = {"p": 1.5, "projections": 3}
    degree = 1.5


@pytest.mark.slow
class TestMaxSliced(CostSuite):
    plugin = MaxSliced
    options = {"starts": 2, "steps": 80}
    counts_multiplicity = True
    vanishes = True
    moves_freely = True
    degree = 2.0
    draws = True

    @pytest.mark.xfail(reason="with some weight at 0, the search ends at another direction than without")
    def test_the_gradient_to_a_weight_of_0_is_one_sided(self) -> None:
        super().test_the_gradient_to_a_weight_of_0_is_one_sided()


class TestCircularSliced(CostSuite):
    plugin = GeneralizedSliced
    counts_multiplicity = True
    draws = True


class TestPolynomialSliced(CostSuite):
    plugin = GeneralizedSliced
    options = {"defining": "polynomial"}
    counts_multiplicity = True
    vanishes = True
    draws = True


class TestGaussian(CostSuite):
    plugin = Gaussian
    counts_multiplicity = True
    vanishes = True
    moves_freely = True
    degree = 2.0


class TestExact(CostSuite):
    plugin = Exact
    counts_multiplicity = True
    vanishes = True
    moves_freely = True
    degree = 2.0


class TestExactOfPowerOne(TestExact):
    options = {"ground": "euclidean"}
    degree = 1.0


class TestSinkhorn(CostSuite):
    plugin = Sinkhorn
    options = {"blur": 1.0, "tolerance": 1e-10, "max_iterations": 500}
    counts_multiplicity = True
    vanishes = True
    moves_freely = True
    degree = 2.0
    lengths = {"blur": 1.0}


class TestSinkhornOfPowerOne(TestSinkhorn):
    options = {"ground": "euclidean", "blur": 1.0, "tolerance": 1e-10, "max_iterations": 500}
    degree = 1.0


class TestUnbalancedSinkhorn(TestSinkhorn):
    options = {"blur": 1.0, "reach": 1.0, "tolerance": 1e-10, "max_iterations": 500}
    lengths = {"blur": 1.0, "reach": 1.0}
    keeps_mass = False


class TestBiasedSinkhorn(TestSinkhorn):
    options = {"blur": 1.0, "debias": False, "tolerance": 1e-10, "max_iterations": 500}
    vanishes = False
