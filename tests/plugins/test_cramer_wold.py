"""The Cramér-Wold distance: its kernel, averages over explicit projections, the smoothing."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import points as draws
from scipy.integrate import quad
from scipy.special import hyp1f1
from scipy.stats import norm
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.testing import CostSuite
from otae_mmd import CramerWold
from otae_mmd.kernels.projected import Projected


class TestCramerWold(CostSuite):
    plugin = CramerWold
    differentiates_weights = False


class TestUnbiasedCramerWold(CostSuite):
    plugin = CramerWold
    differentiates_weights = False
    options: ClassVar[dict[str, Any]] = {"estimator": "unbiased"}


class TestCramerWoldOfFixedSmoothing(CostSuite):
    plugin = CramerWold
    options: ClassVar[dict[str, Any]] = {"gamma": 0.3}
    counts_multiplicity = True
    degree = -1.0  # as a squared distance of densities
    lengths: ClassVar[dict[str, float]] = {"gamma": 2.0}


class TestCramerWoldOnTheLine(CostSuite):
    plugin = CramerWold
    options: ClassVar[dict[str, Any]] = {"gamma": 0.3}
    given: ClassVar[dict[str, Any]] = {"shapes": ((1,), (1,))}
    counts_multiplicity = True


def on_lines(x: Tensor, y: Tensor, gamma: float) -> Tensor:
    """Returns the squared L² distance of smoothed densities on lines, from positions with shapes (N, L) and (M, L)."""

    def product(u: Tensor, v: Tensor) -> Tensor:
        gaps = (u[:, None] - v[None]).square()  # (N, M, L)
        return (gaps / (-4 * gamma)).exp().mean((0, 1)) / math.sqrt(4 * math.pi * gamma)

    return (product(x, x) + product(y, y) - 2 * product(x, y)).mean()


@pytest.mark.parametrize("dim", [2, 3, 4, 5, 8, 17, 20, 64, 784, 12288])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 1e-6)], ids=str)
def test_the_kernel_is_the_confluent_hypergeometric_function(dim: int, dtype: torch.dtype, tolerance: float) -> None:
    arguments = np.concatenate([[0], np.logspace(-4, 10, 60)])
    kernel = Projected(1.0, dim, dtype)
    squared = torch.tensor(arguments, dtype=dtype)
    values, slopes = kernel.differentiate(squared.clone())
    expected = torch.from_numpy(hyp1f1(0.5, dim / 2, -arguments))
    expected_slopes = torch.from_numpy(-hyp1f1(1.5, dim / 2 + 1, -arguments) / dim)
    torch.testing.assert_close(kernel.of(squared).double(), expected, rtol=tolerance, atol=0)
    torch.testing.assert_close(values.double(), expected, rtol=tolerance, atol=0)
    torch.testing.assert_close(slopes.double(), expected_slopes, rtol=50 * tolerance, atol=1e-30)


@pytest.mark.parametrize("dim", [20, 64, 784])
def test_the_kernel_is_nearly_that_of_the_paper_in_many_dimensions(dim: int) -> None:
    squared = torch.logspace(-4, 6, 50, dtype=torch.float64)
    approximate = (1 + 4 * squared / (2 * dim - 3)).rsqrt()
    torch.testing.assert_close(Projected(1.0, dim, torch.float64).of(squared), approximate, rtol=0.22 / dim, atol=0)


def test_on_the_line_it_is_the_integral_of_the_squared_gap_of_smoothed_densities() -> None:
    x, y, gamma = draws(4, 1), draws(3, 1, seed=1) + 1, 0.2

    def gap(t: float) -> float:
        densities = (norm.pdf(t, cloud[:, 0], gamma**0.5).mean() for cloud in (x, y))
        return (next(densities) - next(densities)) ** 2

    expected, _ = quad(gap, -10, 10, limit=200)
    assert CramerWold(gamma=gamma)(x, y).item() == pytest.approx(expected, rel=1e-7)


def test_in_the_plane_it_is_the_mean_over_all_angles() -> None:
    x, y, gamma = draws(5, 2), draws(4, 2, seed=1) + 1, 0.2
    angles = torch.arange(400, dtype=torch.float64) * math.pi / 400  # on a circle the trapezoids are exact
    directions = torch.stack([angles.cos(), angles.sin()])
    expected = on_lines(x @ directions, y @ directions, gamma)
    torch.testing.assert_close(CramerWold(gamma=gamma)(x, y), expected, rtol=1e-10, atol=0)


@pytest.mark.parametrize("size", [3, 7, 30])
def test_it_is_the_mean_over_random_directions(size: int) -> None:
    x, y, gamma = draws(5, size), draws(4, size, seed=1) + 1, 0.5
    directions = torch.nn.functional.normalize(draws(size, 40_000, seed=2), dim=0)
    expected = on_lines(x @ directions, y @ directions, gamma)
    torch.testing.assert_close(CramerWold(gamma=gamma)(x, y), expected, rtol=0.02, atol=0)


def test_the_smoothing_is_silvermans_for_a_normal_law() -> None:
    x, y = draws(30, 3), draws(30, 3, seed=1) + 1
    torch.testing.assert_close(CramerWold()(x, y), CramerWold(gamma=(4 / (3 * 30)) ** 0.4)(x, y))
    torch.testing.assert_close(CramerWold(variance=4.0)(2 * x, 2 * y), CramerWold()(x, y) / 2)


def test_the_smoothing_counts_what_weighs() -> None:
    x, y = draws(30, 3), draws(30, 3, seed=1) + 1
    padded = Cloud(torch.cat([x, x[:5]]), torch.tensor([1.0] * 30 + [0.0] * 5))
    torch.testing.assert_close(CramerWold()(padded, y), CramerWold()(x, y))


@settings(max_examples=50)
@given(st.integers(0, 999), st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 2, 3, 8]))
@pytest.mark.slow
def test_it_is_a_squared_distance_blind_to_isometries(seed: int, n: int, m: int, size: int) -> None:
    x, y, cost = draws(n, size, seed), draws(m, size, seed + 1), CramerWold()
    turn = torch.linalg.qr(draws(size, size, seed + 2)).Q
    value = cost(x, y)
    assert value > 0
    torch.testing.assert_close(cost(y, x), value)
    torch.testing.assert_close(cost(x @ turn + 3, y @ turn + 3), value)
    torch.testing.assert_close(cost(x, x.flip(0)), torch.zeros(()).double(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_gradients_of_both_orders_are_right_for_points_and_weights(size: int) -> None:
    x, y, logits = draws(4, size).requires_grad_(), draws(3, size, seed=1), draws(4, 1, seed=2)[:, 0].requires_grad_()

    def cost(x: Tensor, logits: Tensor) -> Tensor:
        value: Tensor = CramerWold(gamma=0.4)(Cloud(x, logits.softmax(0)), y)
        return value

    assert torch.autograd.gradcheck(cost, (x, logits))
    assert torch.autograd.gradgradcheck(cost, (x, logits))


@pytest.mark.parametrize("size", [1, 3, 64])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_single_precision_is_right_at_every_scale_and_place(scale: float, size: int) -> None:
    x, y = draws(40, size), draws(30, size, seed=1) + 0.3
    exact = CramerWold()(x, y) / scale
    moved = [(scale * (cloud + 100)).float().requires_grad_() for cloud in (x, y)]
    found = CramerWold(variance=scale**2)(*moved)
    torch.testing.assert_close(found.double(), exact, rtol=1e-2, atol=1e-5 * exact.item())
    assert all(slope.isfinite().all() for slope in torch.autograd.grad(found, moved))


@pytest.mark.parametrize("size", [1, 3])
def test_clouds_far_apart_keep_what_lies_within_them(size: int) -> None:
    x, y, z = draws(20, size), draws(20, size, seed=1), draws(20, size, seed=2) + 1e4
    x32 = x.float().requires_grad_()
    (found,) = torch.autograd.grad(CramerWold()(x32, z.float()), x32)
    x64 = x32.detach().double().requires_grad_()
    (exact,) = torch.autograd.grad(CramerWold()(x64, z), x64)
    torch.testing.assert_close(found.double(), exact, rtol=1e-2, atol=1e-4 * exact.abs().max().item())
    assert CramerWold()(x, z) > CramerWold()(x, y)


@pytest.mark.slow
def test_the_unbiased_estimate_is_zero_on_average_where_the_laws_agree() -> None:
    cost = CramerWold(gamma=0.5, estimator="unbiased")
    values = torch.stack([cost(draws(8, 3, seed=seed), draws(6, 3, seed=5000 + seed)) for seed in range(300)])
    assert values.mean().abs() < 4 * values.std() / 300**0.5
    assert values.min() < 0


def test_the_unbiased_estimate_refuses_a_single_point() -> None:
    with pytest.raises(CloudError, match="the target has 1 point with mass"):
        CramerWold(estimator="unbiased")(draws(4, 3), draws(1, 3))
