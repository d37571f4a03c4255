"""Entropy and the Kullback-Leibler divergence: closed forms, signs, masses, and laws that do not fit."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import (
    Categorical,
    Distribution,
    Independent,
    Laplace,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    Uniform,
)

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Dirac
from otae.testing import CostSuite
from otae_variational import KL, Entropy


class TestEntropy(CostSuite):
    plugin = Entropy
    counts_multiplicity = True


class TestKL(CostSuite):
    plugin = KL


def draws(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Independent[Normal]:
    """Returns normal laws with generic means and deviations; the last dimension is the event."""
    return Independent(
        Normal(draws(*shape, seed=seed, dtype=dtype), draws(*shape, seed=seed + 1, dtype=dtype).exp()), 1
    )


def full_normal(*shape: int, seed: int = 0) -> MultivariateNormal:
    root = draws(*shape, shape[-1], seed=seed + 1).tril(-1) + torch.eye(shape[-1]).double()
    return MultivariateNormal(draws(*shape, seed=seed), scale_tril=root)


def mixture() -> MixtureSameFamily:
    weights = torch.tensor([0.7, 0.3], dtype=torch.float64)
    return MixtureSameFamily(Categorical(weights), Independent(Normal(draws(2, 3), torch.ones(2, 3).double()), 1))


def cloud(law: Distribution, count: int = 5, weights: Tensor | None = None) -> Cloud:
    """Returns a cloud drawn from one law, or from one law a point."""
    torch.manual_seed(0)
    return Cloud(law.rsample() if law.batch_shape else law.sample((count,)), weights, law)


@given(st.integers(0, 999), st.integers(1, 6), st.integers(1, 5))
def test_the_entropy_of_normal_laws_is_the_formula_of_the_paper(seed: int, count: int, size: int) -> None:
    law = normal(count, size, seed=seed)
    expected = -law.base_dist.scale.square().log().sum(1).mean()
    torch.testing.assert_close(Entropy()(cloud(law)), expected, rtol=1e-6, atol=1e-12)


def test_the_entropy_is_exact_in_single_precision() -> None:
    scale = torch.full((4, 512), 1 + 1e-3)
    value = Entropy()(cloud(Independent(Normal(torch.zeros(4, 512), scale), 1)))
    torch.testing.assert_close(value, -2 * 512 * scale[0, 0].log(), rtol=1e-6, atol=0)


def test_minimising_the_entropy_cost_spreads_the_codes() -> None:
    log_scale = torch.zeros(4, 2, requires_grad=True)
    Entropy()(cloud(Independent(Normal(torch.zeros(4, 2), log_scale.exp()), 1))).backward()
    torch.testing.assert_close(log_scale.grad, torch.full((4, 2), -2 / 4))  # descent widens


@pytest.mark.parametrize(
    ("law", "entropy"),
    [
        (Independent(Uniform(torch.zeros(5, 3), torch.full((5, 3), 2.0)), 1), 3 * math.log(2)),
        (Independent(Laplace(torch.zeros(5, 3), torch.full((5, 3), 0.5)), 1), 3 * math.log(math.e)),
        (MultivariateNormal(torch.zeros(3), 4 * torch.eye(3)), 1.5 * math.log(2 * math.pi * math.e * 4)),
        (
            Independent(Normal(torch.zeros(5, 1, 3), torch.full((5, 1, 3), 2.0)), 2),
            1.5 * math.log(8 * math.pi * math.e),
        ),
    ],
    ids=["uniform", "laplace", "full-normal", "images"],
)
def test_the_entropy_of_other_laws_has_the_same_origin(law: Distribution, entropy: float) -> None:
    value = Entropy()(cloud(law)).item()
    assert value == pytest.approx(-2 * (entropy - 1.5 * math.log(2 * math.pi * math.e)), rel=1e-5)


def test_the_entropy_of_a_law_without_closed_form_is_estimated() -> None:
    law = mixture()
    value = Entropy()(cloud(law, 20_000))
    torch.manual_seed(1)
    entropy = -law.log_prob(law.sample((200_000,))).mean()
    torch.testing.assert_close(value, -2 * (entropy - 1.5 * math.log(2 * math.pi * math.e)), rtol=0, atol=0.06)


def test_the_estimate_agrees_with_the_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    law, unknown = full_normal(3), full_normal(3)
    monkeypatch.setattr(type(unknown), "entropy", Distribution.entropy)
    estimate = Entropy()(cloud(unknown, 50_000))
    monkeypatch.undo()
    torch.testing.assert_close(estimate, Entropy()(cloud(law)), rtol=0, atol=0.06)


@pytest.mark.parametrize("paired", [False, True], ids=["one-target", "target-per-point"])
def test_kl_of_normal_laws_is_the_closed_form(paired: bool) -> None:
    q, p = normal(5, 3), normal(5, 3, seed=7) if paired else normal(3, seed=7)
    (m, s), (n, t) = ((law.base_dist.loc, law.base_dist.scale) for law in (q, p))
    expected = ((t / s).log() + (s**2 + (m - n) ** 2) / (2 * t**2) - 0.5).sum(1).mean()
    torch.testing.assert_close(KL()(cloud(q), cloud(p)), expected)


def test_kl_to_the_standard_normal_is_that_of_the_variational_autoencoder() -> None:
    q = normal(5, 3)
    m, variance = q.base_dist.loc, q.base_dist.scale.square()
    prior = Independent(Normal(torch.zeros(3).double(), torch.ones(3).double()), 1)
    expected = -0.5 * (1 + variance.log() - m.square() - variance).sum(1).mean()
    torch.testing.assert_close(KL()(cloud(q), cloud(prior, 9)), expected)


@given(st.integers(0, 999))
@pytest.mark.slow
def test_kl_is_zero_for_equal_laws_and_positive_otherwise(seed: int) -> None:
    q, p = normal(4, 2, seed=seed), normal(2, seed=seed + 5)
    assert KL()(cloud(q), cloud(q)).item() == pytest.approx(0, abs=1e-9)
    assert KL()(cloud(q), cloud(p)) > 0


def test_kl_without_closed_form_is_the_mean_log_ratio_at_the_points() -> None:
    source, p = cloud(normal(5, 3)), mixture()
    expected = (source.law.log_prob(source.points) - p.log_prob(source.points)).mean()
    torch.testing.assert_close(KL()(source, cloud(p, 2)), expected)


def test_the_estimate_of_kl_agrees_with_the_closed_form() -> None:
    q, p = normal(3), normal(3, seed=4)
    same = MultivariateNormal(p.mean, covariance_matrix=p.variance.diag())  # a pair that torch has no formula for
    torch.testing.assert_close(KL()(cloud(q, 200_000), cloud(same)), KL()(cloud(q), cloud(p)), rtol=0.03, atol=0)


def test_the_estimate_of_kl_sends_gradients_through_the_points() -> None:
    mean = torch.zeros(1000, 2, dtype=torch.float64, requires_grad=True)
    q = Independent(Normal(mean, torch.ones_like(mean)), 1)
    p = MultivariateNormal(torch.ones(2).double(), torch.eye(2).double())
    (gradient,) = torch.autograd.grad(KL()(cloud(q), cloud(p)), mean)
    torch.testing.assert_close(gradient.sum(0), -torch.ones(2).double(), rtol=0, atol=0.15)


@pytest.mark.parametrize("target", [None, normal(3, seed=7), mixture()], ids=["entropy", "closed-form", "estimate"])
def test_means_are_taken_with_the_masses_of_the_source(target: Distribution | None) -> None:
    q, weights = normal(4, 3), torch.tensor([1.0, 2, 0, 1]).double()
    cost: Any = Entropy() if target is None else KL()
    whole = cloud(q, weights=weights)

    def alone(i: int) -> Tensor:
        law = Independent(Normal(q.base_dist.loc[[i]], q.base_dist.scale[[i]]), 1)
        return cost(Cloud(whole.points[[i]], law=law), target and cloud(target))

    expected = sum(weights[i] / 4 * alone(i) for i in range(4))
    torch.testing.assert_close(cost(whole, target and cloud(target)), expected)


def compared(cost: Any, source: Cloud, target: Cloud) -> Tensor:
    """Returns the cost of two clouds, or of the first alone."""
    return cost(source) if cost.unary else cost(source, target)


def test_one_law_for_all_points_is_as_good_as_one_law_a_point() -> None:
    one, p = normal(3), normal(3, seed=7)
    each = Independent(Normal(one.base_dist.loc.expand(5, 3), one.base_dist.scale.expand(5, 3)), 1)
    for cost in (Entropy(), KL()):
        torch.testing.assert_close(compared(cost, cloud(one), cloud(p)), compared(cost, cloud(each), cloud(p)))


def test_codes_outside_a_uniform_law_are_infinitely_far() -> None:
    p = Independent(Uniform(-torch.ones(3).double(), torch.ones(3).double()), 1)
    assert KL()(cloud(normal(5, 3)), cloud(p)) == math.inf


UNFIT = {
    "none": (None, r"has none\. Name a cloud that is drawn from a law"),
    "dirac": (Dirac(torch.zeros(5, 3)), r"has no density\. Set model\.encoder\.noise=gaussian"),
    "entries": (Normal(torch.zeros(5, 3), torch.ones(5, 3)), r"batch shape \(5, 3\)\. .*Independent\(law, 1\)"),
    "others": (normal(4, 3), r"for each of 5, but got laws of batch shape \(4,\)"),
}


@pytest.mark.parametrize("case", UNFIT)
@pytest.mark.parametrize(("cost", "side"), [(Entropy(), "source"), (KL(), "source"), (KL(), "target")])
def test_laws_that_do_not_fit_are_refused_with_the_cure(cost: Any, side: str, case: str) -> None:
    law, message = UNFIT[case]
    good, bad = cloud(normal(5, 3)), Cloud(torch.zeros(5, 3).double(), law=law)
    with pytest.raises(CloudError, match=f"needs the law of its {side}.*{message}"):
        compared(cost, *((bad, good) if side == "source" else (good, bad)))
