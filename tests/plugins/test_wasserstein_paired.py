"""The paired cost: the rules of costs, its formulas, and what it refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from otae import grounds
from otae.cloud import Cloud
from otae.errors import CloudError
from otae.testing import CostSuite
from otae_wasserstein import Bernoulli, Paired


class TestPaired(CostSuite):
    plugin = Paired
    counts_multiplicity = True
    vanishes = True
    moves_freely = True
    degree = 2.0


class TestPairedHalf(TestPaired):
    options = {"ground": "half-sqeuclidean"}


class TestPairedL1(TestPaired):
    options = {"ground": "l1"}
    degree = 1.0


class TestPairedBernoulli(TestPaired):
    options = {"ground": "bernoulli"}
    vanishes = False
    moves_freely = False
    degree = None

    def draw(self, count: int, size: int) -> Tensor:
        return torch.rand(count, size, dtype=torch.float64) * 0.8 + 0.1

    def test_vmap_sees_through_it_or_is_told_of_batched(self) -> None:
        x, y = (self.draw(8, 3).reshape(2, 4, 3) for _ in range(2))
        found = torch.vmap(self.build())(x, y)  # the law itself leaves [0, 1]
        torch.testing.assert_close(
            found, torch.stack([self.build()(Cloud(a), Cloud(b)) for a, b in zip(x, y, strict=True)])
        )


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


NAIVE_GROUNDS = {
    "sqeuclidean": lambda x, y: sum((x - y) ** 2),
    "half-sqeuclidean": lambda x, y: 0.5 * sum((x - y) ** 2),
    "l1": lambda x, y: sum(abs(x - y)),
    "bernoulli": lambda x, y: -sum(x * y.log() + (1 - x) * (1 - y).log()),
}


@pytest.mark.parametrize("ground", NAIVE_GROUNDS)
def test_the_paired_cost_is_its_formula(ground: Any) -> None:
    x, y = torch.sigmoid(draws(5, 3, 2, 2)), torch.sigmoid(draws(5, 3, 2, 2, seed=1))
    each = torch.stack([NAIVE_GROUNDS[ground](a.flatten(), b.flatten()) for a, b in zip(x, y, strict=True)])
    cost = Paired(grounds.create(ground))
    torch.testing.assert_close(cost(x, y), each.mean(), rtol=1e-12, atol=0)
    weights = torch.arange(1.0, 6.0, dtype=torch.float64)
    torch.testing.assert_close(cost(Cloud(x, weights), y), (weights * each).sum() / 15, rtol=1e-12, atol=0)


@given(st.integers(0, 99), st.floats(-3, 3))
def test_paired_costs_see_only_differences(seed: int, shift: float) -> None:
    x, y = draws(4, 3, seed=seed), draws(4, 3, seed=seed + 1)
    for ground in ("sqeuclidean", "half-sqeuclidean", "l1"):
        torch.testing.assert_close(
            Paired(grounds.create(ground))(x + shift, y + shift), Paired(grounds.create(ground))(x, y)
        )
        assert Paired(grounds.create(ground))(x, x) == 0


def test_the_cross_entropy_is_least_where_probabilities_are_the_data() -> None:
    x = torch.sigmoid(draws(4, 3))
    y = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(Paired(Bernoulli())(x, y), y)
    torch.testing.assert_close(gradient, torch.zeros_like(y))


def test_saturated_probabilities_are_finite() -> None:
    y = torch.tensor([[0.0, 1.0]], requires_grad=True)
    for x in (torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 0.0]])):
        value = Paired(Bernoulli())(x, y)
        (gradient,) = torch.autograd.grad(value, y)
        assert value.isfinite()
        assert gradient.isfinite().all()


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (1.5, 0.5, r"source spans \[1\.5, 1\.5\]\. Scale the data"),
        (0.5, -0.1, r"target spans \[-0\.1, -0\.1\]\. Let the decoder end in a sigmoid"),
        (0.5, math.nan, r"target spans \[nan, nan\]"),
    ],
)
def test_the_cross_entropy_refuses_values_that_are_no_probabilities(x: float, y: float, message: str) -> None:
    with pytest.raises(CloudError, match=message):
        Paired(Bernoulli())(torch.full((2, 3), x), torch.full((2, 3), y))
