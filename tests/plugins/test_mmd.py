"""The maximum mean discrepancy: the double loop, unbiasedness, weights, symmetries and degenerate clouds."""

from __future__ import annotations

import math
from typing import Any, ClassVar, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import points as draws
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Kernel
from otae.testing import CostSuite
from otae_mmd import IMQ, MMD, Energy, Gaussian, Laplacian, RationalQuadratic
from otae_mmd.estimators import ESTIMATORS, Estimator
from otae_mmd.kernels.lengths import median_square

H, ALPHA = 0.7, 1.7
NAIVE = {
    "imq": lambda d, size: sum(2 * size * s / (2 * size * s + d**2) for s in (0.1, 0.2, 0.5, 1, 2, 5, 10)),
    "gaussian": lambda d, size: math.exp(-(d**2) / (2 * H**2)),
    "laplacian": lambda d, size: math.exp(-d / H),
    "rational-quadratic": lambda d, size: (1 + d**2 / (2 * ALPHA * H**2)) ** -ALPHA,
    "energy": lambda d, size: -d,
}
KERNELS: dict[str, Kernel] = {
    "imq": IMQ(),
    "gaussian": Gaussian(H),
    "laplacian": Laplacian(H),
    "rational-quadratic": RationalQuadratic(H, alpha=ALPHA),
    "energy": Energy(),
}
every_kernel = pytest.mark.parametrize("name", KERNELS)
CASES = [
    pytest.param(options, id="-".join(map(str, options.values())))
    for options in (
        {"kernel": IMQ(), "estimator": "unbiased"},
        {"kernel": IMQ(), "estimator": "biased"},
        {"kernel": Gaussian(1.5), "estimator": "unbiased"},
        {"kernel": Gaussian(), "estimator": "biased"},
        {"kernel": Energy(), "estimator": "unbiased"},
        {"kernel": 2 * Laplacian(1.5) + 0.5 * RationalQuadratic(1.5), "estimator": "biased"},
    )
]


class TestMMD(CostSuite):
    plugin = MMD
    moves_freely = True


class TestBiasedMMD(CostSuite):
    plugin = MMD
    vanishes = True
    moves_freely = True
    options: ClassVar[dict[str, Any]] = {
        "kernel": {"name": "imq", "variance": 2.0, "scales": (0.5, 3.0)},
        "estimator": "biased",
    }
    counts_multiplicity = True
    degree = 0.0
    lengths: ClassVar[dict[str, float]] = {"kernel.variance": 2.0}


class TestGaussianMMD(CostSuite):
    plugin = MMD
    moves_freely = True
    degree = 0.0
    lengths: ClassVar[dict[str, float]] = {"kernel.bandwidth": 1.0}
    options: ClassVar[dict[str, Any]] = {"kernel": {"name": "gaussian", "bandwidth": 2.0, "scales": (1.0, 4.0)}}


class TestEnergyMMD(CostSuite):
    plugin = MMD
    vanishes = True
    moves_freely = True
    degree = 1.0
    options: ClassVar[dict[str, Any]] = {"kernel": "energy", "estimator": "biased"}
    counts_multiplicity = True


class TestMixtureMMD(CostSuite):
    plugin = MMD
    moves_freely = True
    options: ClassVar[dict[str, Any]] = {
        "kernel": [
            {"name": "laplacian", "bandwidth": 2.0},
            {"name": "weighted", "weight": 2, "kernel": {"name": "rational-quadratic", "bandwidth": 2.0}},
        ]
    }


def naive(x: Tensor, y: Tensor, a: Tensor, b: Tensor, *, estimator: str, kernel: str) -> float:
    """Returns the discrepancy by loops over all pairs."""

    def mean(u: Tensor, v: Tensor, p: Tensor, q: Tensor, distinct: bool) -> float:
        pairs = [(i, j) for i in range(len(u)) for j in range(len(v)) if not distinct or i != j]
        values = {(i, j): NAIVE[kernel](math.dist(u[i].tolist(), v[j].tolist()), u.shape[1]) for i, j in pairs}
        total = sum((p[i] * q[j]).item() * values[i, j] for i, j in pairs)
        return total / sum((p[i] * q[j]).item() for i, j in pairs)

    distinct = estimator == "unbiased"
    return mean(x, x, a, a, distinct) + mean(y, y, b, b, distinct) - 2 * mean(x, y, a, b, False)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
@every_kernel
def test_it_is_the_double_loop(name: str, estimator: Any, weighted: bool) -> None:
    x, y = draws(5, 3), draws(4, 3, seed=1) + 0.5
    a, b = (torch.arange(1.0, n + 1, dtype=torch.float64) if weighted else torch.ones(n).double() for n in (5, 4))
    cost = MMD(KERNELS[name], estimator)
    value = cost(Cloud(x, a), Cloud(y, b)) if weighted else cost(x, y)
    assert value.item() == pytest.approx(naive(x, y, a, b, estimator=estimator, kernel=name), rel=1e-10)


@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
def test_a_mixture_is_the_weighted_sum_of_its_kernels(estimator: Any) -> None:
    x, y, weights = draws(5, 3), draws(4, 3, seed=1), {IMQ(): 0.3, Gaussian(): 2.0, Energy(): 0.1}
    parts = [weight * MMD(kernel, estimator)(x, y) for kernel, weight in weights.items()]
    mixture = MMD([weight * kernel for kernel, weight in weights.items()], estimator)
    torch.testing.assert_close(mixture(x, y), sum(parts))
    twice = MMD(2 * (0.3 * IMQ() + 2.0 * Gaussian()), estimator)
    torch.testing.assert_close(twice(x, y), 2 * (parts[0] + parts[1]))


@pytest.mark.parametrize("kernel", [Gaussian, Laplacian, RationalQuadratic])
def test_a_kernel_is_summed_over_its_scales_of_the_squared_length(kernel: Any) -> None:
    x, y = draws(5, 3), draws(4, 3, seed=1)
    parts = [MMD(kernel(H * scale**0.5))(x, y) for scale in (0.5, 3.0)]
    torch.testing.assert_close(MMD(kernel(H, scales=(0.5, 3.0)))(x, y), sum(parts))


def test_two_points_have_the_value_by_hand() -> None:
    x, y = torch.tensor([[0.0]]), torch.tensor([[2.0]])
    assert MMD(IMQ(scales=(1.0,)), "biased")(x, y).item() == pytest.approx(2 - 2 * 2 / (2 + 4))
    assert MMD(IMQ(3.0, scales=(1.0,)), "biased")(x, y).item() == pytest.approx(2 - 2 * 6 / (6 + 4))
    assert MMD(Gaussian(1.0), "biased")(x, y).item() == pytest.approx(2 - 2 * math.exp(-2))
    assert MMD(Energy(), "biased")(x, y).item() == pytest.approx(4)


def test_batches_of_two_have_the_unbiased_value_by_hand() -> None:
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [5.0]])
    assert MMD(Energy())(x, y).item() == pytest.approx(2 * (3 + 5 + 2 + 4) / 4 - 1 - 2)


def test_the_median_is_that_of_all_pairs_of_points_that_differ() -> None:
    x, y = torch.tensor([[0.0], [1.0], [1.0]]), torch.tensor([[3.0], [7.0]])
    squared = [1.0, 1.0, 16.0, 9.0, 4.0, 4.0, 49.0, 36.0, 36.0]  # pairs within, then between
    bandwidth = sorted(squared)[4] ** 0.5
    expected = MMD(Gaussian(bandwidth))(x, y)
    torch.testing.assert_close(MMD(Gaussian())(x, y), expected)


def test_the_median_of_large_clouds_is_nearly_that_of_all_points_in_any_order() -> None:
    x, y = draws(600, 3), draws(100, 3, seed=1)
    all_pairs = torch.cat([torch.pdist(x), torch.pdist(y), torch.cdist(x, y).flatten()]).median().item()
    found = median_square(x, y).sqrt().item()
    assert found == pytest.approx(all_pairs, rel=0.05)
    order = torch.randperm(600, generator=torch.Generator().manual_seed(2))
    assert median_square(x[order], y.flip(0)).sqrt().item() == pytest.approx(found, rel=1e-9)


def test_no_gradient_flows_through_the_median() -> None:
    x, y = draws(6, 3).requires_grad_(), draws(5, 3, seed=1)
    pooled = torch.pdist(torch.cat([x, y]).detach()).square().sort().values
    bandwidth = pooled[(len(pooled) - 1) // 2].sqrt().item()
    free, fixed = (MMD(Gaussian(rule))(x, y) for rule in ("median", bandwidth))
    for one, other in zip(torch.autograd.grad(free, x), torch.autograd.grad(fixed, x), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("kernel", [IMQ(), Gaussian(2.0), Energy()], ids=str)
@pytest.mark.slow
def test_the_unbiased_estimate_is_zero_on_average_where_the_laws_agree(kernel: Any) -> None:
    for estimator, is_zero in (("unbiased", True), ("biased", False)):
        cost = MMD(kernel, estimator)
        weights = torch.tensor([4.0, 1, 1, 1, 1, 2, 2, 4]).double()
        values = torch.stack(
            [cost(Cloud(draws(8, 3, seed=seed), weights), draws(6, 3, seed=5000 + seed)) for seed in range(200)]
        )
        error = values.std() / len(values) ** 0.5
        assert (values.mean().abs() < 4 * error) == is_zero, f"{estimator}: {values.mean()} ± {error}"
        assert (values.min() < 0) == is_zero, "only the unbiased estimate may be negative"


@pytest.mark.parametrize(("kernel", "at_zero"), [(Gaussian(2.0), 1), (IMQ(), 7), (Energy(), 0)])
def test_the_estimators_differ_by_the_diagonal_alone(kernel: Kernel, at_zero: int) -> None:
    x, y = draws(9, 3).requires_grad_(), draws(5, 3, seed=1)
    biased, unbiased = (MMD(kernel, estimator) for estimator in ("biased", "unbiased"))
    shift = sum((at_zero - (2 * at_zero - pair_mean(biased, cloud)) / 2) / len(cloud) for cloud in (x, y))
    torch.testing.assert_close(biased(x, y) - unbiased(x, y), shift)


def pair_mean(cost: MMD, cloud: Tensor) -> Tensor:
    """Returns the mean cost of two distinct points of a cloud: twice k(0), less twice their kernel."""
    pairs = [cost(cloud[[i]], cloud[[j]]) for i in range(len(cloud)) for j in range(len(cloud)) if i != j]
    return torch.stack(pairs).mean()


def test_it_tells_laws_apart() -> None:
    near, far = MMD()(draws(200, 3), draws(200, 3, seed=1)), MMD()(draws(200, 3), draws(200, 3, seed=1) + 1)
    assert far > 10 * near.abs()


@settings(max_examples=50)
@given(st.integers(0, 999), st.integers(2, 6), st.integers(2, 6), st.sampled_from([case.values[0] for case in CASES]))
def test_it_is_symmetric_and_blind_to_order_and_isometries(seed: int, n: int, m: int, options: dict[str, Any]) -> None:
    x, y, cost = draws(n, 3, seed=seed), draws(m, 3, seed=seed + 1), MMD(**options)
    turn = torch.linalg.qr(draws(3, 3, seed=seed + 2)).Q
    value = cost(x, y)
    torch.testing.assert_close(cost(y, x), value)
    torch.testing.assert_close(cost(x.flip(0), y.roll(1, 0)), value)
    torch.testing.assert_close(cost(x @ turn + 3, y @ turn + 3), value)


@settings(max_examples=25)
@given(st.integers(0, 999), st.floats(0.01, 100))
def test_lengths_scale_with_the_points(seed: int, factor: float) -> None:
    x, y = draws(5, 3, seed=seed), draws(4, 3, seed=seed + 1)
    torch.testing.assert_close(MMD(Energy())(factor * x, factor * y), factor * MMD(Energy())(x, y))
    for options in ({"kernel": Laplacian()}, {"kernel": Gaussian()}):
        torch.testing.assert_close(MMD(**options)(factor * x, factor * y), MMD(**options)(x, y))
    torch.testing.assert_close(MMD(IMQ(factor**2))(factor * x, factor * y), MMD()(x, y))


@given(st.integers(0, 999), st.integers(1, 6), st.integers(1, 6), st.sampled_from(list(KERNELS.values())))
def test_the_biased_estimate_is_a_squared_distance(seed: int, n: int, m: int, kernel: Any) -> None:
    x, y, cost = draws(n, 3, seed=seed), draws(m, 3, seed=seed + 1), MMD(kernel, "biased")
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
    x, y = draws(5, 3), draws(4, 3, seed=1)
    padded = Cloud(torch.cat([x, 1e3 * draws(2, 3, seed=3)]), torch.tensor([1.0] * 5 + [0.0] * 2))
    torch.testing.assert_close(MMD(**options)(padded, y), MMD(**options)(x, y))


@pytest.mark.parametrize(
    ("source", "target", "side"),
    [
        (draws(1, 3), draws(4, 3), "source"),
        (draws(4, 3), draws(1, 3), "target"),
        (Cloud(draws(3, 3), torch.tensor([0.0, 1, 0])), draws(4, 3), "source"),
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


@pytest.mark.parametrize("options", CASES)
def test_half_precision_is_computed_in_single(options: dict[str, Any]) -> None:
    x, y = draws(50, 16).bfloat16(), draws(50, 16, seed=1).bfloat16()
    exact = MMD(**options)(x.double(), y.double())
    with torch.autocast("cpu", torch.bfloat16):
        value = MMD(**options)(x, y)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value.double(), exact, rtol=0, atol=1e-5)


def test_every_estimator_that_is_offered_is_there() -> None:
    assert set(get_args(Estimator)) == set(ESTIMATORS)
