"""The coupled Gromov-Wasserstein cost: the formula of the paper, isometries, scales and degenerate clouds."""

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
from otae_gromov import CoupledGW

GROUNDS = ["euclidean", "sqeuclidean"]
POWERS = [0.5, 1.0, 1.5, 2.0]


class TestCoupledGW(CostSuite):
    plugin = CoupledGW
    options = {"scale": 2.5}
    target_shapes = ((2, 3),)
    moves_freely = True
    degree = 1.0
    lengths = {"scale": 1.0}


class TestSquaredCoupledGW(CostSuite):
    plugin = CoupledGW
    options = {"power": 2.0, "ground": "sqeuclidean", "learn_scale": False, "normalize": False}
    counts_multiplicity = True
    moves_freely = True
    isometries = True
    degree = 4.0


class TestFreeCoupledGW(CostSuite):
    plugin = CoupledGW
    options = {"scale": 1.0, "learn_scale": False, "normalize": False}
    target_shapes = ((2, 3),)
    counts_multiplicity = True
    vanishes = True
    smooth = False
    moves_freely = True
    isometries = True
    degree = 1.0


class TestRootedCoupledGW(CostSuite):
    plugin = CoupledGW
    options = {"power": 0.5}


def cost(**options: Any) -> CoupledGW:
    return CoupledGW(**options).double()


def draws(count: int, size: int, seed: int = 0) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def naive(x: Tensor, y: Tensor, factor: Tensor, power: float, ground: str, *, masses: Tensor | None = None) -> Tensor:
    """Returns the cost as the paper writes it, through all differences of points."""
    exponent = {"euclidean": 1, "sqeuclidean": 2}[ground]
    of_x = (factor * (x[:, None] - x[None])).norm(dim=2) ** exponent
    of_y = (y[:, None] - y[None]).norm(dim=2) ** exponent
    gaps = (of_x - of_y).abs() ** power
    return gaps.mean() if masses is None else (masses[:, None] * masses[None] * gaps).sum()


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("power", POWERS)
def test_it_is_the_formula_of_the_paper(power: float, ground: Any, normalize: bool) -> None:
    codes, images = draws(9, 4) + 3, draws(9, 48, seed=1).reshape(9, 3, 4, 4)
    found = cost(power=power, ground=grounds.create(ground), normalize=normalize)
    factor = found.scale / (codes.std(dim=0).mean() if normalize else 1)
    truth = naive(codes, images.flatten(1), factor, power, ground)
    torch.testing.assert_close(found(codes, images), truth, rtol=1e-10, atol=0)


@pytest.mark.parametrize("power", POWERS)
def test_weights_are_those_of_the_pairs(power: float) -> None:
    x, y, weights = draws(5, 2), draws(5, 3, seed=1), torch.tensor([1.0, 3.0, 0.5, 2.0, 1.0], dtype=torch.float64)
    found = cost(power=power, scale=1.5, normalize=False)
    truth = naive(x, y, found.scale, power, "euclidean", masses=weights / weights.sum())
    for source, target in [(Cloud(x, weights), y), (x, Cloud(y, weights)), (Cloud(x, weights), Cloud(y, 2 * weights))]:
        torch.testing.assert_close(found(source, target), truth, rtol=1e-10, atol=0)


def test_clouds_that_weigh_their_pairs_differently_are_refused() -> None:
    x = torch.zeros(2, 1)
    with pytest.raises(CloudError, match="these differ"):
        CoupledGW()(Cloud(x, torch.tensor([1.0, 2.0])), Cloud(x, torch.tensor([1.0, 1.0])))


@given(distance=st.floats(0.1, 10), gap=st.floats(0.1, 10), scale=st.floats(0.1, 10))
def test_two_points_have_a_closed_form(distance: float, gap: float, scale: float) -> None:
    x, y = (torch.tensor([[0.0], [length]], dtype=torch.float64) for length in (distance, gap))
    assert cost(scale=scale)(x, y).item() == pytest.approx(abs(scale * math.sqrt(2) - gap) / 2, abs=1e-5)
    assert cost(scale=scale, normalize=False)(x, y).item() == pytest.approx(abs(scale * distance - gap) / 2, abs=1e-5)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("power", POWERS)
def test_an_isometry_costs_nothing(power: float, ground: Any) -> None:
    x = draws(8, 3)
    rotation = torch.linalg.qr(draws(5, 5, seed=1)).Q[:, :3]  # (5, 3): into a larger space
    free = cost(power=power, ground=grounds.create(ground), scale=1.0, normalize=False)
    assert free(x, x @ rotation.T + 7).item() == pytest.approx(0, abs=1e-6)


@given(factor=st.floats(1e-3, 1e3), shift=st.floats(-10, 10), seed=st.integers(0, 99))
@pytest.mark.slow
def test_a_normalised_source_has_no_scale_and_no_place(factor: float, shift: float, seed: int) -> None:
    x, y = draws(6, 3, seed), draws(6, 4, seed + 1)
    torch.testing.assert_close(cost()(factor * x + shift, y), cost()(x, y), rtol=1e-7, atol=0)


@given(factor=st.floats(0.1, 10), seed=st.integers(0, 99))
@pytest.mark.slow
def test_two_clouds_of_one_space_are_homogeneous(factor: float, seed: int) -> None:
    x, y = draws(6, 3, seed), draws(6, 3, seed + 1)
    for ground, degree in zip(GROUNDS, (1, 2), strict=True):
        free = cost(ground=grounds.create(ground), scale=1.0, normalize=False)
        torch.testing.assert_close(free(factor * x, factor * y), factor**degree * free(x, y))
        torch.testing.assert_close(free(x, y), free(y, x))


@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.parametrize("ground", GROUNDS)
def test_gradients_of_the_second_order_are_right(ground: Any, power: float) -> None:
    part = cost(power=power, ground=grounds.create(ground))
    assert torch.autograd.gradgradcheck(part, (draws(4, 2).requires_grad_(), draws(4, 3, seed=1).requires_grad_()))


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_one_point_costs_nothing_and_pulls_nowhere(ground: Any, power: float) -> None:
    part, x, y = (
        CoupledGW(power=power, ground=grounds.create(ground)),
        torch.ones(1, 2, requires_grad=True),
        torch.ones(1, 5),
    )
    value = part(x, y)
    value.backward()
    assert value == 0
    assert (x.grad == 0).all()
    assert part.log_scale.grad == 0


@pytest.mark.parametrize("offset", [0.0, 0.3, 100.0])
def test_a_collapsed_source_is_finite_in_single_precision(offset: float) -> None:
    x, y = torch.full((6, 4), offset, requires_grad=True), draws(6, 9).float().requires_grad_()
    value = CoupledGW()(x, y)
    value.backward()
    torch.testing.assert_close(value, torch.cdist(y, y).mean(), rtol=1e-5, atol=0)
    assert (x.grad == 0).all()
    assert y.grad.isfinite().all()


def test_a_collapsed_decoder_is_seen_in_single_precision() -> None:
    x, y = draws(32, 8), 100 + 1e-3 * draws(32, 3072, seed=1)
    x, y = x.float(), y.float()
    truth = cost()(x.double(), y.double())
    torch.testing.assert_close(CoupledGW()(x, y).double(), truth, rtol=1e-6, atol=0)


def test_the_scale_is_learned_where_asked() -> None:
    assert [name for name, _ in CoupledGW(scale=4.0).named_parameters()] == ["log_scale"]
    assert CoupledGW(scale=4.0).scale.item() == pytest.approx(4)
    fixed = CoupledGW(scale=4.0, learn_scale=False)
    assert not list(fixed.parameters())
    assert fixed.scale.item() == pytest.approx(4)


def test_descent_finds_the_scale_between_the_spaces() -> None:
    x = draws(8, 3)
    part = cost(power=2.0, scale=1.0, normalize=False)
    optimizer = torch.optim.Adam(part.parameters(), lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        part(x, 3 * x).backward()
        optimizer.step()
    assert part.scale.item() == pytest.approx(3, rel=1e-2)


def test_gradients_flow_through_the_spread_of_the_source() -> None:
    x, y = draws(6, 3).requires_grad_(), draws(6, 3, seed=1)
    (gradient,) = torch.autograd.grad(cost()(x, y), x)
    assert (x * gradient).sum().item() == pytest.approx(0, abs=1e-12), "no cost, no pull, along a change of scale"
