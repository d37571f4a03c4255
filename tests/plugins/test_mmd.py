"""The maximum mean discrepancy: the double loop, unbiasedness, weights, symmetries and degenerate clouds."""

from __future__ import annotations

import math
from typing import Any, ClassVar, get_args, get_type_hints

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.testing import CostSuite
from otae_mmd import MMD
from otae_mmd.estimators import ESTIMATORS
from otae_mmd.kernels import KERNELS

CASES = [
    pytest.param(options, id="-".join(map(str, options.values())))
    for options in (
        {"kernel": "imq", "estimator": "unbiased"},
        {"kernel": "imq", "estimator": "biased"},
        {"kernel": "gaussian", "estimator": "unbiased", "bandwidth": 1.5},
        {"kernel": "gaussian", "estimator": "biased", "bandwidth": "median"},
    )
]


class TestMMD(CostSuite):
    plugin = MMD


class TestBiasedMMD(CostSuite):
    plugin = MMD
    options: ClassVar[dict[str, Any]] = {"estimator": "biased", "variance": 2.0, "scales": (0.5, 3.0)}
    counts_multiplicity = True


class TestGaussianMMD(CostSuite):
    plugin = MMD
    options: ClassVar[dict[str, Any]] = {"kernel": "gaussian", "bandwidth": 2.0}


def draws(count: int, size: int = 3, seed: int = 0) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def naive_kernel(x: Tensor, y: Tensor, bandwidth: float | None) -> float:
    squared = sum((a - b) ** 2 for a, b in zip(x.tolist(), y.tolist(), strict=True))
    if bandwidth is not None:
        return math.exp(-squared / (2 * bandwidth**2))
    constants = [2 * len(x) * scale for scale in (0.1, 0.2, 0.5, 1, 2, 5, 10)]
    return sum(c / (c + squared) for c in constants)


def naive(x: Tensor, y: Tensor, a: Tensor, b: Tensor, *, estimator: str, bandwidth: float | None) -> float:
    """Returns the discrepancy by loops over all pairs."""

    def mean(u: Tensor, v: Tensor, p: Tensor, q: Tensor, distinct: bool) -> float:
        pairs = [(i, j) for i in range(len(u)) for j in range(len(v)) if not distinct or i != j]
        total = sum((p[i] * q[j]).item() * naive_kernel(u[i], v[j], bandwidth) for i, j in pairs)
        return total / sum((p[i] * q[j]).item() for i, j in pairs)

    distinct = estimator == "unbiased"
    return mean(x, x, a, a, distinct) + mean(y, y, b, b, distinct) - 2 * mean(x, y, a, b, False)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
@pytest.mark.parametrize("bandwidth", [None, 0.7])
def test_it_is_the_double_loop(bandwidth: float | None, estimator: Any, weighted: bool) -> None:
    x, y = draws(5), draws(4, seed=1) + 0.5
    a, b = (torch.arange(1.0, n + 1, dtype=torch.float64) if weighted else torch.ones(n).double() for n in (5, 4))
    cost = MMD(estimator=estimator) if bandwidth is None else MMD("gaussian", estimator, bandwidth=bandwidth)
    value = cost(Cloud(x, a), Cloud(y, b)) if weighted else cost(x, y)
    assert value.item() == pytest.approx(naive(x, y, a, b, estimator=estimator, bandwidth=bandwidth), rel=1e-10)


def test_two_points_have_the_value_by_hand() -> None:
    x, y = torch.tensor([[0.0]]), torch.tensor([[2.0]])
    assert MMD(estimator="biased", scales=(1.0,))(x, y).item() == pytest.approx(2 - 2 * 2 / (2 + 4))
    assert MMD(estimator="biased", scales=(1.0,), variance=3.0)(x, y).item() == pytest.approx(2 - 2 * 6 / (6 + 4))
    assert MMD("gaussian", "biased", bandwidth=1.0)(x, y).item() == pytest.approx(2 - 2 * math.exp(-2))


def test_the_median_is_that_of_all_pairs_of_points_that_differ() -> None:
    x, y = torch.tensor([[0.0], [1.0], [1.0]]), torch.tensor([[3.0], [7.0]])
    squared = [1.0, 1.0, 16.0, 9.0, 4.0, 4.0, 49.0, 36.0, 36.0]  # pairs within, then between
    bandwidth = sorted(squared)[4] ** 0.5
    expected = MMD("gaussian", bandwidth=bandwidth)(x, y)
    torch.testing.assert_close(MMD("gaussian")(x, y), expected)


def test_no_gradient_flows_through_the_median() -> None:
    x, y = draws(6).requires_grad_(), draws(5, seed=1)
    pooled = torch.pdist(torch.cat([x, y]).detach()).square().sort().values
    bandwidth = pooled[(len(pooled) - 1) // 2].sqrt().item()
    free, fixed = (MMD("gaussian", bandwidth=rule)(x, y) for rule in ("median", bandwidth))
    for one, other in zip(torch.autograd.grad(free, x), torch.autograd.grad(fixed, x), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("kernel", ["imq", "gaussian"])
def test_the_unbiased_estimate_is_zero_on_average_where_the_laws_agree(kernel: Any) -> None:
    bandwidth = 2.0
    for estimator, is_zero in (("unbiased", True), ("biased", False)):
        cost = MMD(kernel, estimator, bandwidth=bandwidth)
        weights = torch.tensor([4.0, 1, 1, 1, 1, 2, 2, 4]).double()
        values = torch.stack(
            [cost(Cloud(draws(8, seed=seed), weights), draws(6, seed=5000 + seed)) for seed in range(500)]
        )
        error = values.std() / len(values) ** 0.5
        assert (values.mean().abs() < 4 * error) == is_zero, f"{estimator}: {values.mean()} ± {error}"


def test_it_tells_laws_apart() -> None:
    near, far = MMD()(draws(200), draws(200, seed=1)), MMD()(draws(200), draws(200, seed=1) + 1)
    assert far > 10 * near.abs()


@given(st.integers(0, 999), st.integers(2, 6), st.integers(2, 6), st.sampled_from([case.values[0] for case in CASES]))
def test_it_is_symmetric_and_blind_to_order_and_shifts(seed: int, n: int, m: int, options: dict[str, Any]) -> None:
    x, y, cost = draws(n, seed=seed), draws(m, seed=seed + 1), MMD(**options)
    value = cost(x, y)
    torch.testing.assert_close(cost(y, x), value)
    torch.testing.assert_close(cost(x.flip(0), y.roll(1, 0)), value)
    torch.testing.assert_close(cost(x + 3, y + 3), value)


@given(st.integers(0, 999), st.integers(1, 6), st.integers(1, 6))
def test_the_biased_estimate_is_a_squared_distance(seed: int, n: int, m: int) -> None:
    x, y, cost = draws(n, seed=seed), draws(m, seed=seed + 1), MMD(estimator="biased")
    assert cost(x, y) >= -1e-12
    torch.testing.assert_close(cost(x, x), torch.zeros(()).double(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("options", CASES)
def test_a_joint_cloud_is_its_flat_points(options: dict[str, Any]) -> None:
    images, codes = draws(5, 8).reshape(5, 2, 2, 2), draws(5, 3, seed=1)
    other = draws(4, 11, seed=2)
    expected = MMD(**options)(torch.cat([images.flatten(1), codes], dim=1), other)
    torch.testing.assert_close(MMD(**options)([images, codes], other), expected)


@pytest.mark.parametrize("options", CASES)
def test_points_without_mass_do_not_take_part(options: dict[str, Any]) -> None:
    x, y = draws(5), draws(4, seed=1)
    padded = Cloud(torch.cat([x, 1e3 * draws(2, seed=3)]), torch.tensor([1.0] * 5 + [0.0] * 2))
    torch.testing.assert_close(MMD(**options)(padded, y), MMD(**options)(x, y))


@pytest.mark.parametrize(
    ("source", "target", "side"),
    [
        (draws(1), draws(4), "source"),
        (draws(4), draws(1), "target"),
        (Cloud(draws(3), torch.tensor([0.0, 1, 0])), draws(4), "source"),
    ],
)
def test_the_unbiased_estimate_refuses_a_single_point(source: Any, target: Any, side: str) -> None:
    with pytest.raises(CloudError, match=rf"the {side} has 1 point with mass\. .*at least 2.*estimator: biased"):
        MMD()(source, target)
    assert MMD(estimator="biased")(source, target).isfinite()


@pytest.mark.parametrize("options", CASES)
def test_equal_points_leave_value_and_gradient_finite(options: dict[str, Any]) -> None:
    x = torch.ones(4, 3, requires_grad=True)
    value = MMD(**options)(x, torch.ones(3, 3))
    (gradient,) = torch.autograd.grad(value, x)
    assert value.item() == pytest.approx(0, abs=1e-5)
    assert not gradient.any()


def test_gradients_flow_to_the_weights() -> None:
    x, y, logits = draws(4), draws(5, seed=1), draws(4, 1, seed=2)[:, 0].requires_grad_()
    assert torch.autograd.gradcheck(lambda w: MMD()(Cloud(x, w.softmax(0)), y), logits)


def test_gradients_have_gradients() -> None:
    x, y = draws(3).requires_grad_(), draws(3, seed=1)
    assert torch.autograd.gradgradcheck(lambda z: MMD()(z, y), x)


@pytest.mark.parametrize("options", CASES)
def test_half_precision_is_computed_in_single(options: dict[str, Any]) -> None:
    x, y = draws(50, 16).bfloat16(), draws(50, 16, seed=1).bfloat16()
    exact = MMD(**options)(x.double(), y.double())
    with torch.autocast("cpu", torch.bfloat16):
        value = MMD(**options)(x, y)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value.double(), exact, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("option", "table"), [("kernel", KERNELS), ("estimator", ESTIMATORS)])
def test_every_name_that_is_offered_is_there(option: str, table: dict[str, Any]) -> None:
    assert set(get_args(get_type_hints(MMD.__init__)[option])) == set(table)
