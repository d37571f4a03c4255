"""The Laplace prior: the rules of priors, its density, its moments and its tails."""

from __future__ import annotations

import math
from typing import ClassVar

import otae
import pytest
import torch
from otae.errors import ConfigError
from otae.testing import PriorSuite

from otae_example_plugin import Laplace


class TestLaplace(PriorSuite):
    plugin = Laplace


class TestWideLaplace(PriorSuite):
    plugin = Laplace
    options: ClassVar = {"variance": 9.0}


def prior(variance: float = 1.0) -> Laplace:
    return Laplace(3, variance).double()


def test_the_entry_point_offers_it() -> None:
    assert otae.priors.get("laplace") is Laplace


@pytest.mark.parametrize("variance", [0.5, 1.0, 8.0])
def test_the_density_is_the_formula(variance: float) -> None:
    z = torch.tensor([0.3, -2.0, 0.0], dtype=torch.float64)
    b = math.sqrt(variance / 2)
    expected = -3 * math.log(2 * b) - 2.3 / b
    assert prior(variance).law.log_prob(z).item() == pytest.approx(expected)


@pytest.mark.parametrize("variance", [0.5, 1.0, 8.0])
def test_the_draws_have_the_moments_of_the_law(variance: float) -> None:
    z = prior(variance).sample(100_000, torch.Generator().manual_seed(0))
    assert z.mean().item() == pytest.approx(0, abs=0.02 * math.sqrt(variance))
    assert z.var().item() == pytest.approx(variance, rel=0.02)
    assert z.abs().mean().item() == pytest.approx(math.sqrt(variance / 2), rel=0.01)


def test_the_draws_have_the_tails_of_the_law() -> None:
    z = prior(variance=2.0).sample(100_000, torch.Generator().manual_seed(0))  # a scale b of 1
    for bound in (1.0, 2.0, 4.0):
        assert (z.abs() > bound).double().mean().item() == pytest.approx(math.exp(-bound), rel=0.05)


def test_the_largest_noise_makes_a_finite_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    largest = torch.tensor([1 - 2**-24, 0.0]).reshape(2, 1, 1).expand(2, 5, 3)  # the float below 1
    monkeypatch.setattr(Laplace, "uniform", lambda *_, **__: largest)
    assert Laplace(latent_dim=3).sample(5).isfinite().all()


def test_a_variance_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="variance"):
        otae.priors.create("laplace", latent_dim=3, variance=0.0)
