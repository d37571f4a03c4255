"""The kernel costs against SciPy, GeomLoss, POT and closed forms, and where others fail."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
import torch
from naive import points as draws
from scipy.stats import energy_distance

from otae import kernels
from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Kernel
from otae_mmd import IMQ, MMD, Energy, Gaussian, Laplacian, RationalQuadratic, SlicedEnergy

every_gentle = pytest.mark.parametrize("kernel", [Energy(), Gaussian(), Laplacian(), RationalQuadratic()], ids=str)


@pytest.mark.parametrize("cost", [MMD(Energy(), "biased"), SlicedEnergy(estimator="biased")], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_energy_distance_on_the_line_is_the_square_of_scipys(cost: Any, weighted: bool) -> None:
    x, y = draws(30, 1), draws(20, 1, seed=1) + 0.5
    a, b = (draws(n, 1, seed=n).abs()[:, 0] if weighted else torch.ones(n).double() for n in (30, 20))
    expected = energy_distance(x[:, 0], y[:, 0], a, b) ** 2
    assert cost(Cloud(x, a), Cloud(y, b)).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("kernel", "clamp"), [("gaussian", 0), ("laplacian", 1e-4), ("energy", 1e-4)])
def test_it_is_twice_the_half_of_geomloss(kernel: Any, clamp: float) -> None:
    """GeomLoss takes 1e-4 for the distance of a point to itself, which moves its value but not its gradient."""
    from geomloss import SamplesLoss

    options = {} if kernel == "energy" else {"bandwidth": 0.8}
    x, y, a, b = draws(30, 3).requires_grad_(), draws(20, 3, seed=1), draws(30, 1).softmax(0), draws(20, 1).softmax(0)
    theirs = 2 * SamplesLoss(kernel, blur=0.8, backend="tensorized")(a[:, 0], x, b[:, 0], y)
    ours = MMD(kernels.create(kernel, **options), "biased")(Cloud(x, a[:, 0]), Cloud(y, b[:, 0]))
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=clamp)
    gradients = [torch.autograd.grad(value, x)[0] for value in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-7, atol=1e-9)


def test_the_gaussian_kernel_between_gaussians_is_its_closed_form() -> None:
    size, h, s, t, shift = 3, 1.3, 0.8, 1.1, 0.7
    x, y = s * draws(3000, size), t * draws(3000, size, seed=1) + shift

    def mean(variance: float, gap: float) -> float:
        total = h**2 + variance
        return (h**2 / total) ** (size / 2) * math.exp(-size * gap**2 / (2 * total))

    expected = mean(2 * s**2, 0) + mean(2 * t**2, 0) - 2 * mean(s**2 + t**2, shift)
    assert MMD(Gaussian(h))(x, y).item() == pytest.approx(expected, rel=0.05)


def test_the_energy_distance_of_far_gaussians_is_twice_their_gap() -> None:
    x, y = draws(50, 3), draws(50, 3, seed=1) + torch.tensor([1e5, 0, 0])
    assert MMD(Energy())(x, y).item() == pytest.approx(2e5, rel=1e-4)


@every_gentle
@pytest.mark.parametrize("size", [3, 64])
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
def test_single_precision_is_right_at_every_scale(kernel: Kernel, size: int, scale: float) -> None:
    x, y = draws(40, size), draws(30, size, seed=1) + 0.3
    exact = MMD(kernel)(x, y) * (scale if kernel == Energy() else 1)
    moved = ((scale * points).float().requires_grad_() for points in (x, y))
    torch.testing.assert_close(MMD(kernel)(*moved).double(), exact, rtol=1e-3, atol=1e-5 * exact.item())


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
def test_the_length_of_a_prior_may_have_every_scale(scale: float) -> None:
    x, y = draws(40, 8), draws(30, 8, seed=1) + 0.3
    found = MMD(IMQ(scale**2))((scale * x).float(), (scale * y).float())
    torch.testing.assert_close(found.double(), MMD()(x, y), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_a_prior_of_another_scale_leaves_value_and_gradient_finite(scale: float) -> None:
    x, y = ((scale * draws(20, 8, seed)).float().requires_grad_() for seed in (0, 1))
    value = MMD(estimator="biased")(x, y)
    assert value.item() == pytest.approx(7 * 2 / 20 if scale > 1 else 0, rel=1e-3, abs=1e-5), "alone, or all one"
    assert all(gradient.isfinite().all() for gradient in torch.autograd.grad(value, (x, y)))


@every_gentle
def test_single_precision_is_right_far_from_the_origin(kernel: Kernel) -> None:
    x, y = ((draws(n, 8, seed=n) + n / 30 + 1000).float() for n in (40, 30))
    exact = MMD(kernel)(x.double(), y.double())
    torch.testing.assert_close(MMD(kernel)(x, y).double(), exact, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kernel", [Gaussian(2.0), IMQ(), Energy(), Laplacian(2.0)], ids=str)
def test_clouds_far_apart_keep_what_lies_within_them(kernel: Any) -> None:
    x, y = draws(20, 8), draws(20, 8, seed=1)
    y[:, 0] += 1e4
    x32, y32 = x.float().requires_grad_(), y.float()
    (gradient,) = torch.autograd.grad(MMD(kernel)(x32, y32), x32)
    x64 = x32.detach().double().requires_grad_()
    (exact,) = torch.autograd.grad(MMD(kernel)(x64, y32.double()), x64)
    torch.testing.assert_close(gradient.double(), exact, rtol=1e-3, atol=1e-5)


def test_the_bias_of_a_mini_batch_outweighs_its_noise() -> None:
    clouds = [(draws(64, 64, seed), draws(64, 64, seed + 1000)) for seed in range(60)]
    biased, unbiased = (
        torch.stack([MMD(estimator=estimator)(x, y) for x, y in clouds]) for estimator in ("biased", "unbiased")
    )
    assert biased.mean().item() == pytest.approx(0.109, rel=0.05)
    assert unbiased.std().item() == pytest.approx(6.8e-3, rel=0.3)
    assert unbiased.mean().abs() < 4 * unbiased.std() / 60**0.5


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_last_batch_of_one_is_refused_with_a_cure_and_none_is_not_a_number(count: int) -> None:
    x, y = draws(count, 5), draws(count, 5, seed=1)
    if count == 1:
        with pytest.raises(CloudError, match="drop a last batch of 1"):
            MMD()(x, y)
    else:
        assert MMD()(x, y).isfinite()
    assert MMD(estimator="biased")(x, y) > 0


def test_the_gradient_of_a_training_step_moves_one_cloud_onto_another() -> None:
    x, y = (draws(64, 3) - 3).requires_grad_(), draws(64, 3, seed=1)
    optimizer = torch.optim.Adam([x], lr=0.1)
    for _ in range(80):
        optimizer.zero_grad()
        MMD(Energy(), "biased")(x, y).backward()
        optimizer.step()
    assert MMD(Energy(), "biased")(x, y) < 0.05
    torch.testing.assert_close(x.mean(0), y.mean(0), rtol=0, atol=0.2)


def test_nothing_warns_or_draws_random_numbers() -> None:
    state = torch.random.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MMD(Gaussian() + IMQ())(draws(300, 3), draws(300, 3, seed=1))
    assert torch.equal(torch.random.get_rng_state(), state)
