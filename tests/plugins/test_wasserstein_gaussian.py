"""The Bures-Wasserstein cost: POT's values, closed forms, and gradients where covariances are singular."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.reductions import load_library
from otae_wasserstein import Exact, Gaussian


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def masses(count: int, seed: int = 0) -> Tensor:
    return 0.2 + torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cost(x: Tensor, a: Tensor | None, y: Tensor, b: Tensor | None) -> Tensor:
    return Gaussian()(Cloud(x, a), Cloud(y, b))


@pytest.mark.parametrize(("n", "m", "d"), [(30, 40, 4), (9, 12, 8), (10, 3, 5), (3, 10, 5)])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_the_distance_of_pot_squared(n: int, m: int, d: int, weighted: bool) -> None:
    ot = load_library("ot")
    x, y = draws(n, d), 2 * draws(m, d, seed=1) @ draws(d, d, seed=2) + 1
    a, b = (masses(n), masses(m, seed=1)) if weighted else (None, None)
    moments = []
    for points, weights in ((x, a), (y, b)):
        shares = Cloud(points, weights).masses
        mean = shares @ points
        moments.append((mean, (points - mean).T @ (shares[:, None] * (points - mean))))
    (s, u), (t, v) = moments
    floor = 1e-12 * torch.eye(d, dtype=torch.float64)  # POT takes roots of the covariances, singular for few points
    theirs = ot.gaussian.bures_wasserstein_distance(s, t, u + floor, v + floor).item() ** 2
    assert cost(x, a, y, b).item() == pytest.approx(theirs, rel=1e-9 if min(n, m) > d else 1e-5)


@pytest.mark.parametrize(("n", "m", "d"), [(8, 7, 3), (3, 4, 6), (9, 3, 5), (3, 9, 5), (4, 4, 4), (1, 5, 3), (5, 1, 3)])
def test_gradients_are_right_in_points_and_weights(n: int, m: int, d: int) -> None:
    inputs = [each.requires_grad_() for each in (draws(n, d), masses(n), draws(m, d, seed=1), masses(m, seed=1))]
    assert torch.autograd.gradcheck(cost, inputs, atol=1e-5)


def test_a_second_derivative_is_refused_rather_than_wrong() -> None:
    x = draws(5, 2).requires_grad_()
    (gradient,) = torch.autograd.grad(Gaussian()(x, draws(5, 2, seed=1)), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="no second derivatives"):
        gradient.sum().backward()


@given(seed=st.integers(0, 99), variances=st.lists(st.floats(0.1, 10), min_size=3, max_size=3))
def test_normal_laws_of_commuting_covariances_have_a_closed_form(seed: int, variances: list[float]) -> None:
    x = draws(9, 3, seed=seed)
    x = (x - x.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T, correction=0))).T
    scales = torch.tensor(variances, dtype=torch.float64)
    turn = torch.linalg.qr(draws(3, 3, seed=seed + 1)).Q
    assert Gaussian()(x @ turn, 2 + x * scales @ turn).item() == pytest.approx(
        (1 - scales).square().sum().item() + 12, rel=1e-6
    )


@given(seed=st.integers(0, 99))
def test_a_positive_linear_map_is_the_best_plan(seed: int) -> None:
    x, root = draws(8, 3, seed=seed), draws(3, 3, seed=seed + 1)
    y = x @ (root @ root.T) + 2
    torch.testing.assert_close(Gaussian()(x, y), Exact()(x, y), rtol=1e-8, atol=1e-9)


@given(seed=st.integers(0, 99), factor=st.floats(0.1, 10))
@pytest.mark.slow
def test_it_follows_the_laws_of_a_distance_and_stays_below_the_clouds(seed: int, factor: float) -> None:
    x, y = draws(7, 3, seed=seed), draws(9, 3, seed=seed + 100)
    value = Gaussian()(x, y)
    turn = torch.linalg.qr(draws(3, 3, seed=seed)).Q
    assert 0 < value <= Exact()(x, y)
    torch.testing.assert_close(Gaussian()(y, x), value)
    torch.testing.assert_close(Gaussian()(factor * x @ turn - 3, factor * y @ turn - 3), factor**2 * value)
    assert Gaussian()(x, x[torch.tensor([3, 1, 4, 0, 5, 2, 6])]).item() == pytest.approx(0, abs=1e-25)


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_clouds_without_breadth_are_seen_by_their_means_and_traces(n: int) -> None:
    x = torch.full((n, 4), 2.0, requires_grad=True)
    y = draws(6, 4).float()
    value = Gaussian()(x, y)
    (gradient,) = torch.autograd.grad(value, x)
    torch.testing.assert_close(value, (2 - y).square().sum(1).mean())
    torch.testing.assert_close(gradient, 2 / n * (x - y.mean(0)).detach())


def test_planes_at_right_angles_pull_only_towards_their_own() -> None:
    x, y = draws(6, 4), draws(6, 4, seed=1)
    x[:, 2:], y[:, :2] = 0, 0
    x, y = x - x.mean(0), y - y.mean(0)
    x.requires_grad_()
    value = Gaussian()(x, y)
    (gradient,) = torch.autograd.grad(value, x)
    torch.testing.assert_close(value, (x.square().sum() + y.square().sum()) / 6)
    torch.testing.assert_close(gradient, x.detach() / 3)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_it_is_exact_in_single_precision_at_every_scale_and_place(scale: float) -> None:
    x, y = draws(20, 6), draws(30, 6, seed=1) + 1
    truth = scale**2 * Gaussian()(x, y)
    found = Gaussian()((scale * (x + 100)).float(), (scale * (y + 100)).float())
    torch.testing.assert_close(found.double(), truth, rtol=1e-3, atol=0)


@pytest.mark.parametrize("thin", [0.1, 1e-3, 1e-5, 0.0])
def test_thin_clouds_have_right_gradients_in_single_precision(thin: float) -> None:
    breadths = torch.tensor([1.0, 0.5, thin, thin], dtype=torch.float64)
    x, y = ((draws(50, 4, seed=seed) * breadths.roll(2 * seed)).float().requires_grad_() for seed in (0, 1))
    value = Gaussian()(x, y)
    found = torch.autograd.grad(value, (x, y))
    exact = Gaussian()(*(doubled := [cloud.detach().double().requires_grad_() for cloud in (x, y)]))
    torch.testing.assert_close(value.double(), exact, rtol=1e-5, atol=0)
    for one, other in zip(found, torch.autograd.grad(exact, doubled), strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-3, atol=1e-3 * other.abs().max().item())


def test_near_clouds_do_not_cancel() -> None:
    x = draws(30, 5).float()
    found = Gaussian()(x, x * (1 + 1e-4)).item()
    assert found == pytest.approx(1e-8 * x.square().mean(0).sum().item(), rel=0.02)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_points_that_are_not_finite_are_refused(value: float) -> None:
    x = torch.zeros(9, 2)
    x[4, 1] = value
    for clouds in ((x, torch.ones(3, 2)), (torch.ones(3, 2), x), (x, x)):
        with pytest.raises(CloudError, match="not finite"):
            Gaussian()(*clouds)
