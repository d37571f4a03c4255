"""The sliced energy distance: exact on the line, unbiased over directions, right for weights and ties."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import points as draws
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.testing import CostSuite
from otae_mmd import MMD, Energy, SlicedEnergy, sliced_energy


class TestSlicedEnergy(CostSuite):
    plugin = SlicedEnergy
    moves_freely = True
    degree = 1.0
    draws = True


class TestBiasedSlicedEnergy(CostSuite):
    plugin = SlicedEnergy
    vanishes = True
    smooth = False
    moves_freely = True
    degree = 1.0
    options: ClassVar[dict[str, Any]] = {"estimator": "biased", "projections": 5}
    counts_multiplicity = True
    draws = True


class TestSlicedEnergyOnTheLine(CostSuite):
    plugin = SlicedEnergy
    given: ClassVar[dict[str, Any]] = {"shapes": ((1,), (1,))}
    draws = True


@settings(max_examples=50)
@given(st.integers(0, 999), st.integers(2, 9), st.integers(2, 9), st.sampled_from(["unbiased", "biased"]))
def test_on_the_line_it_is_the_energy_distance_with_its_gradient(seed: int, n: int, m: int, estimator: Any) -> None:
    x, y = draws(n, 1, seed).requires_grad_(), draws(m, 1, seed + 1)
    a = draws(n, 1, seed + 2)[:, 0].softmax(0).requires_grad_()
    sliced, exact = SlicedEnergy(estimator=estimator), MMD(Energy(), estimator)
    values = [cost(Cloud(x, a), y) for cost in (sliced, exact)]
    torch.testing.assert_close(*values)
    torch.testing.assert_close(*(torch.autograd.grad(value, (x, a)) for value in values))


@pytest.mark.parametrize("size", [2, 5, 30])
@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
@pytest.mark.slow
def test_it_has_the_energy_distance_for_its_mean(size: int, estimator: Any) -> None:
    torch.manual_seed(0)
    x, y = draws(20, size), draws(15, size, seed=1) + 0.5
    cost = SlicedEnergy(16, estimator)
    values = torch.stack([cost(x, y) for _ in range(300)])
    exact = MMD(Energy(), estimator)(x, y)
    assert (values.mean() - exact).abs() < 4 * values.std() / 300**0.5
    assert values.std() < 2 * exact, "else the test sees nothing"


def test_directions_are_shared_by_all_points() -> None:
    x = torch.cat([draws(100, 1) + 3, draws(100, 1, seed=1)], dim=1)
    y = torch.cat([draws(100, 1, seed=2), draws(100, 1, seed=3) + 3], dim=1)
    assert SlicedEnergy(200)(x, y).item() == pytest.approx(MMD(Energy())(x, y).item(), rel=0.2)
    assert SlicedEnergy(estimator="biased")(x, x.flip(0)).item() == pytest.approx(0, abs=1e-12)


def test_the_unbiased_estimate_is_zero_on_average_where_the_laws_agree() -> None:
    torch.manual_seed(0)
    values = torch.stack(
        [SlicedEnergy(8)(draws(8, 3, seed=seed), draws(6, 3, seed=5000 + seed)) for seed in range(300)]
    )
    assert values.mean().abs() < 4 * values.std() / 300**0.5
    assert values.min() < 0


def test_gradients_are_right_for_points_and_weights() -> None:
    x, y, logits = draws(4, 3).requires_grad_(), draws(3, 3, seed=1), draws(4, 1, seed=2)[:, 0].requires_grad_()

    def cost(x: Tensor, logits: Tensor) -> Tensor:
        torch.manual_seed(0)
        value: Tensor = SlicedEnergy(7)(Cloud(x, logits.softmax(0)), y)
        return value

    assert torch.autograd.gradcheck(cost, (x, logits))


def test_parts_of_the_directions_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = draws(20, 3).requires_grad_(), draws(7, 3, seed=1)
    found = []
    for at_once in (2**22, 60):
        monkeypatch.setattr(sliced_energy, "_AT_ONCE", at_once)
        torch.manual_seed(0)
        value = SlicedEnergy(9)(x, y)
        found.append((value, *torch.autograd.grad(value, x)))
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_it_grows_with_the_points_in_single_precision(scale: float) -> None:
    x, y = draws(50, 1), draws(40, 1, seed=1) + 1
    found = SlicedEnergy()((scale * x).float(), (scale * y).float()).double() / scale
    torch.testing.assert_close(found, MMD(Energy())(x, y), rtol=1e-4, atol=1e-6)


def test_the_unbiased_estimate_refuses_a_single_point() -> None:
    with pytest.raises(CloudError, match="the target has 1 point with mass"):
        SlicedEnergy()(draws(4, 3), draws(1, 3))
