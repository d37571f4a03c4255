"""Every prior on the rules of priors."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from otae.testing import PriorSuite
from otae_priors import (
    Causal,
    Codebook,
    Dirichlet,
    Empirical,
    Factorized,
    Flow,
    Gaussian,
    Mixture,
    Neural,
    Ring,
    Sphere,
    StudentT,
    Uniform,
    Vamp,
)


class TestGaussian(PriorSuite):
    plugin = Gaussian


class TestUniform(PriorSuite):
    plugin = Uniform


class TestSphere(PriorSuite):
    plugin = Sphere


class TestRing(PriorSuite):
    plugin = Ring


class TestBall(PriorSuite):
    plugin = Ring
    options: ClassVar[dict[str, Any]] = {"ratio": 0.0, "outer": 3.0}


class TestStudentT(PriorSuite):
    plugin = StudentT
    options: ClassVar[dict[str, Any]] = {"df": 20.0}  # the suite's standard errors need eight moments


class TestDirichlet(PriorSuite):
    plugin = Dirichlet


class TestNeural(PriorSuite):
    plugin = Neural


class TestFactorized(PriorSuite):
    plugin = Factorized


class TestMixture(PriorSuite):
    plugin = Mixture
    options: ClassVar[dict[str, Any]] = {"components": 4}


class TestCausal(PriorSuite):
    plugin = Causal


class TestCodebook(PriorSuite):
    plugin = Codebook
    options: ClassVar[dict[str, Any]] = {"codes": 5}


class TestVamp(PriorSuite):
    plugin = Vamp
    options: ClassVar[dict[str, Any]] = {"inputs": 4}


@pytest.mark.slow
class TestFlow(PriorSuite):
    plugin = Flow
    options: ClassVar[dict[str, Any]] = {"width": 16}


class TestFlowUnstandardised(PriorSuite):
    plugin = Flow
    options: ClassVar[dict[str, Any]] = {"width": 16, "transforms": 2, "standardize": False}


class TestEmpiricalMixture(PriorSuite):
    plugin = Empirical
    options: ClassVar[dict[str, Any]] = {"method": "mixture", "components": 3}


class TestEmpiricalGaussian(PriorSuite):
    plugin = Empirical
    options: ClassVar[dict[str, Any]] = {"method": "gaussian"}


class TestEmpiricalNeighbours(PriorSuite):
    plugin = Empirical
    options: ClassVar[dict[str, Any]] = {"method": "neighbours"}
