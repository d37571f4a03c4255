"""The Wasserstein costs keep the rules of all costs."""

from __future__ import annotations

from typing import ClassVar

import pytest
from torch import Tensor

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

    apart: ClassVar[float] = 0.0

    def points(self, n: int = 6, m: int = 6) -> tuple[Tensor, Tensor]:
        x, y = super().points(n, m)
        return x, y + self.apart

    def test_the_gradient_to_a_weight_of_0_is_one_sided(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            type(self), "apart", 3.0
        )  # between clouds that overlap, the maximum is an edge without a slope
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
