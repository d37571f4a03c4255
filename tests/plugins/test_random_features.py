"""Random Fourier features: unbiased over the frequencies, converging as 1/√F, linear in the number of points."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from naive import Largest
from naive import points as draws
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError, ConfigError
from otae.interfaces import Kernel
from otae.testing import CostSuite
from otae_mmd import IMQ, MMD, Energy, Gaussian, Laplacian, RandomFeatures, RationalQuadratic, random_features

KERNELS: dict[str, Kernel] = {
    "imq": IMQ(),
    "imq of few scales": IMQ(2.0, scales=(0.2, 3.0)),
    "gaussian": Gaussian(1.5),
    "gaussian of the median": Gaussian(),
    "laplacian": Laplacian(2.0),
    "rational-quadratic": RationalQuadratic(1.5, alpha=0.6),
    "mixture": 0.5 * Gaussian(2.0, scales=(0.5, 2.0)) + 2 * Laplacian(2.0),
}


class TestRandomFeatures(CostSuite):
    plugin = RandomFeatures
    draws = True
    moves_freely = True
    degree = 0.0
    lengths: ClassVar[dict[str, float]] = {"kernel.bandwidth": 1.0}
    options: ClassVar[dict[str, Any]] = {"kernel": {"name": "gaussian", "bandwidth": 2.0}}


class TestFixedRandomFeatures(CostSuite):
    plugin = RandomFeatures
    draws = True
    vanishes = True
    moves_freely = True
    options: ClassVar[dict[str, Any]] = {
        "kernel": {"name": "laplacian", "bandwidth": 2.0},
        "estimator": "biased",
        "seed": 3,
    }
    counts_multiplicity = True


@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
@pytest.mark.slow
def test_it_has_the_exact_discrepancy_for_its_mean(kernel: Kernel, estimator: Any) -> None:
    torch.manual_seed(0)
    x, y = draws(40, 3), draws(30, 3, seed=1) + 0.5
    weighted = Cloud(x, draws(40, 1)[:, 0].softmax(0))
    exact = MMD(kernel, estimator)(weighted, y)
    cost = RandomFeatures(kernel, estimator, features=50)
    values = torch.stack([cost(weighted, y) for _ in range(150)])
    assert (values.mean() - exact).abs() < 4 * values.std() / 150**0.5
    assert values.std() < 2 * exact, "else the test sees nothing"


def test_the_error_falls_with_the_square_root_of_the_number_of_features() -> None:
    torch.manual_seed(0)
    x, y = draws(40, 3), draws(30, 3, seed=1) + 0.5
    exact = MMD(Gaussian(1.5))(x, y)
    errors = []
    for features in (32, 512):
        cost = RandomFeatures(Gaussian(1.5), features=features)
        errors.append(torch.stack([cost(x, y) - exact for _ in range(150)]).square().mean().sqrt())
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.25)


def test_its_gradient_has_the_exact_gradient_for_its_mean() -> None:
    torch.manual_seed(0)
    x, y = draws(5, 3).requires_grad_(), draws(4, 3, seed=1)
    (exact,) = torch.autograd.grad(MMD(Gaussian(1.5))(x, y), x)
    cost = RandomFeatures(Gaussian(1.5), features=200)
    gradients = torch.stack([torch.autograd.grad(cost(x, y), x)[0] for _ in range(200)])
    errors = gradients.std(0) / 200**0.5
    assert ((gradients.mean(0) - exact).abs() < 4.5 * errors).all()


def test_both_clouds_share_their_frequencies() -> None:
    x = draws(20, 3)
    assert RandomFeatures(estimator="biased")(x, x.flip(0)).item() == pytest.approx(0, abs=1e-25)
    assert RandomFeatures(estimator="biased", features=1)(x, x + 1) > 0


def test_frequencies_are_fresh_at_each_call_unless_seeded() -> None:
    x, y = draws(20, 3), draws(20, 3, seed=1)
    fresh, fixed = RandomFeatures(features=8), RandomFeatures(features=8, seed=3)
    assert fresh(x, y) != fresh(x, y)
    state = torch.random.get_rng_state()
    assert fixed(x, y) == fixed(x, y)
    assert torch.equal(torch.random.get_rng_state(), state), "a seed of its own leaves torch's alone"


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, logits = draws(20, 3).requires_grad_(), draws(7, 3, seed=1), draws(20, 1)[:, 0].requires_grad_()
    cost, cloud = RandomFeatures(features=16, seed=0), Cloud(x, logits.softmax(0))
    whole = cost(cloud, y)
    expected = torch.autograd.grad(whole, (x, logits), retain_graph=True)
    monkeypatch.setattr(random_features, "_AT_ONCE", 32)
    monkeypatch.setattr(random_features, "_BLOCK", 48)
    blocked = cost(cloud, y)
    torch.testing.assert_close(blocked, whole)
    torch.testing.assert_close(torch.autograd.grad(blocked, (x, logits)), expected)
    with torch.no_grad():
        torch.testing.assert_close(cost(cloud, y), whole)


def test_memory_does_not_grow_with_points_times_features() -> None:
    x, y = draws(20_000, 2).float().requires_grad_(), draws(20_000, 2, seed=1).float()
    with Largest() as mode:
        RandomFeatures(features=512)(x, y).backward()
    assert mode.entries <= 2**19


def test_gradients_of_both_orders_are_right_for_points_and_weights() -> None:
    x, y, logits = draws(4, 3).requires_grad_(), draws(3, 3, seed=1), draws(4, 1, seed=2)[:, 0].requires_grad_()

    def cost(x: Tensor, logits: Tensor) -> Tensor:
        value: Tensor = RandomFeatures(IMQ(), features=5, seed=0)(Cloud(x, logits.softmax(0)), y)
        return value

    assert torch.autograd.gradcheck(cost, (x, logits))
    assert torch.autograd.gradgradcheck(cost, (x, logits))


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_single_precision_is_right_at_every_scale(scale: float) -> None:
    x, y = draws(40, 20), draws(30, 20, seed=1) + 0.3
    cost = RandomFeatures(seed=0, features=64)
    assert cost((scale * x).float(), (scale * y).float()).isfinite()
    noise = torch.stack([RandomFeatures()(scale * x, scale * y) for _ in range(20)])
    assert noise.mean().item() == pytest.approx(MMD(Gaussian())(x, y).item(), rel=0.2)


def test_the_unbiased_estimate_refuses_a_single_point() -> None:
    with pytest.raises(CloudError, match="the source has 1 point with mass"):
        RandomFeatures()(draws(1, 3), draws(4, 3))


def test_the_energy_distance_has_no_features() -> None:
    with pytest.raises(ConfigError, match=r"has no random frequencies.*sliced-energy"):
        RandomFeatures(Energy() + Gaussian())
