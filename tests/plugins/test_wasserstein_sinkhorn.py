"""The Sinkhorn divergence: POT's plans, GeomLoss's values, finite differences, limits, and clouds of every kind."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import Largest
from torch import Tensor

from otae.cloud import Cloud
from otae.reductions import load_library
from otae.transport import Euclidean, Limits
from otae_wasserstein import Exact, Gaussian, Sinkhorn, Sliced

CONVERGED: dict[str, Any] = {"tolerance": 1e-11, "max_iterations": 2000}
KINDS = [(p, reach, debias) for p in (1, 2) for reach in (None, 1.0) for debias in (True, False)]


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def masses(count: int, seed: int = 0) -> Tensor:
    weights = 0.2 + torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return weights / weights.sum()


def pair(n: int = 12, m: int = 9, d: int = 3) -> tuple[Cloud, Cloud]:
    return Cloud(draws(n, d), masses(n)), Cloud(draws(m, d, seed=1) + 0.5, masses(m, seed=1))


def costs(source: Cloud, target: Cloud, p: float = 2) -> Tensor:
    return torch.cdist(source.points, target.points, compute_mode="donot_use_mm_for_euclid_dist").pow(p)


@pytest.mark.parametrize("p", [1, 2])
def test_the_plan_is_that_of_pot(p: Any) -> None:
    ot = load_library("ot")
    source, target = pair()
    solution = Sinkhorn(Euclidean(p), blur=0.5, **CONVERGED).solve(source, target)
    cost = costs(source, target, p)
    plan = ot.sinkhorn(source.masses, target.masses, cost, p * 0.5**p, stopThr=1e-14, numItermax=10_000)
    assert solution.converged
    torch.testing.assert_close(solution.plan.dense(), plan, rtol=1e-8, atol=1e-12)
    torch.testing.assert_close(solution.value, (plan * cost).sum(), rtol=1e-8, atol=0)


@pytest.mark.parametrize("p", [1, 2])
def test_the_plan_that_may_lose_mass_is_that_of_pot(p: Any) -> None:
    ot = load_library("ot")
    source, target = pair()
    solution = Sinkhorn(Euclidean(p), blur=0.5, reach=1.0, **CONVERGED).solve(source, target)
    cost = costs(source, target, p)
    plan = ot.unbalanced.sinkhorn_unbalanced(
        source.masses, target.masses, cost, p * 0.5**p, float(p), reg_type="kl", stopThr=1e-14, numItermax=10_000
    )
    torch.testing.assert_close(solution.plan.dense(), plan, rtol=1e-8, atol=1e-12)
    torch.testing.assert_close(solution.value, (plan * cost).sum(), rtol=1e-8, atol=0)


@pytest.mark.parametrize(("p", "reach", "debias"), KINDS)
def test_the_value_is_p_times_that_of_geomloss(p: Any, reach: float | None, debias: bool) -> None:
    loss = load_library("geomloss").SamplesLoss(
        "sinkhorn", p=p, blur=1.0, reach=reach, debias=debias, scaling=0.99, backend="tensorized"
    )
    source, target = pair()
    theirs = p * loss(source.masses, source.points, target.masses, target.points)
    options = {"blur": 1.0, "reach": reach, "debias": debias}
    assert Sinkhorn(Euclidean(p), **options, **CONVERGED)(source, target).item() == pytest.approx(
        theirs.item(), rel=2e-3
    )
    by_geomloss = Sinkhorn(Euclidean(p), **options, scaling=0.9, backend="geomloss")(source, target)
    assert by_geomloss.item() == pytest.approx(theirs.item(), rel=1e-2)


@pytest.mark.parametrize(("p", "reach", "debias"), KINDS)
@pytest.mark.slow
def test_gradients_are_right_in_points_and_weights(p: Any, reach: float | None, debias: bool) -> None:
    """GeomLoss's own are off by (rho + eps/2) / (rho + eps) where mass may be lost."""
    part = Sinkhorn(Euclidean(p), blur=1.0, reach=reach, debias=debias, **CONVERGED)
    inputs = [each.requires_grad_() for each in (draws(4, 2), masses(4), draws(3, 2, seed=1) + 1, masses(3, seed=1))]
    assert torch.autograd.gradcheck(lambda x, a, y, b: part(Cloud(x, a), Cloud(y, b)), inputs, atol=1e-6)


@pytest.mark.parametrize("reach", [None, 1.0])
def test_geomloss_finds_potentials_with_the_same_gradients(reach: float | None) -> None:
    source, target = pair()
    x, a = source.points.requires_grad_(), source.masses.requires_grad_()
    ours, theirs = (
        torch.autograd.grad(part(Cloud(x, a), target), (x, a))
        for part in (
            Sinkhorn(blur=1.0, reach=reach, **CONVERGED),
            Sinkhorn(blur=1.0, reach=reach, scaling=0.98, backend="geomloss"),
        )
    )
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0.03, atol=3e-3 * one.abs().max().item())


@pytest.mark.parametrize("reach", [None, 1.0])
def test_a_point_without_mass_still_knows_what_mass_would_cost(reach: float | None) -> None:
    source, target = pair(6, 5)
    part = Sinkhorn(blur=0.5, reach=reach, **CONVERGED)
    less, more = source.masses.clone(), source.masses.clone()
    less[2], more[2] = 0, 1e-6
    less.requires_grad_()
    base = part(Cloud(source.points, less), target)
    (gradient,) = torch.autograd.grad(base, less)
    rise = part(Cloud(source.points, more), target) - base
    assert gradient[2].item() == pytest.approx(rise.item() / 1e-6, rel=1e-3)


def test_second_derivatives_are_refused_rather_than_wrong() -> None:
    x = draws(5, 2).requires_grad_()
    (gradient,) = torch.autograd.grad(Sinkhorn(blur=1.0)(x, draws(4, 2, seed=1)), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="no second derivatives"):
        gradient.sum().backward()


@pytest.mark.parametrize("backend", ["auto", "geomloss"])
def test_the_callers_gradient_mode_is_kept(backend: Any) -> None:
    """GeomLoss switches autograd on, whoever asks."""
    x, y = draws(6, 2).requires_grad_(), draws(5, 2, seed=1)
    with torch.no_grad():
        value = Sinkhorn(blur=1.0, backend=backend)(x, y)
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    assert not value.requires_grad
    with torch.enable_grad():
        assert Sinkhorn(blur=1.0, backend=backend)(x, y).requires_grad
        assert torch.is_grad_enabled()


@pytest.mark.parametrize("p", [1, 2])
def test_without_blur_it_is_exact(p: Any) -> None:
    source, target = pair()
    truth = Exact(Euclidean(p))(source, target).item()
    errors = [
        abs(Sinkhorn(Euclidean(p), blur=blur, **CONVERGED)(source, target).item() / truth - 1)
        for blur in (0.5, 0.1, 0.02)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 5e-3


def test_with_much_blur_it_is_the_distance_of_the_means() -> None:
    source, target = pair()
    means = [cloud.masses @ cloud.points for cloud in (source, target)]
    truth = (means[0] - means[1]).square().sum().item()
    assert Sinkhorn(blur=1e3)(source, target).item() == pytest.approx(truth, rel=1e-4)


def test_on_affine_images_of_a_line_all_costs_agree() -> None:
    x = draws(40, 1)
    y = 1.5 * x + 2
    truth = Exact()(x, y)
    for cost in (Sliced(), Gaussian()):
        torch.testing.assert_close(cost(x, y), truth)
    assert Sinkhorn(blur=0.01)(x, y).item() == pytest.approx(truth.item(), rel=1e-3)


@given(seed=st.integers(0, 30), factor=st.floats(0.1, 10), p=st.sampled_from([1, 2]))
@settings(max_examples=20)
@pytest.mark.slow
def test_it_follows_the_laws_of_a_distance(seed: int, factor: float, p: Any) -> None:
    x, y = draws(7, 3, seed=seed), draws(6, 3, seed=seed + 100) + 0.5
    turn, order = torch.linalg.qr(draws(3, 3, seed=seed)).Q, torch.tensor([3, 1, 4, 0, 5, 2, 6])
    options: dict[str, Any] = {"tolerance": 1e-8, "max_iterations": 300}
    part, scaled = Sinkhorn(Euclidean(p), blur=1.5, **options), Sinkhorn(Euclidean(p), blur=1.5 * factor, **options)
    value = part(x, y)
    assert value > 0
    torch.testing.assert_close(part(y, x), value, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(part(x[order] @ turn + 3, y @ turn + 3), value, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(scaled(factor * x, factor * y), factor**p * value, rtol=1e-6, atol=1e-9)
    assert part(x, x[order]).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("reach", [None, 1.0])
@pytest.mark.parametrize("p", [1, 2])
def test_what_solve_returns_fits_together(p: Any, reach: float | None) -> None:
    source, target = pair()
    a, b = source.masses.clone(), target.masses.clone()
    a[:2], b[:3] = 0, 0
    source, target = Cloud(source.points, a), Cloud(target.points.requires_grad_(), b)
    part = Sinkhorn(Euclidean(p), blur=0.5, reach=reach, **CONVERGED)
    solution = part.solve(source, target)
    plan, (f, g), cost = solution.plan.dense(), solution.potentials, costs(source, target, p).detach()
    density = source.masses[:, None] * target.masses * ((f[:, None] + g - cost) / (p * 0.5**p)).exp()
    torch.testing.assert_close(plan, density, rtol=1e-7, atol=1e-12)
    torch.testing.assert_close(solution.value, (plan * cost).sum(), rtol=1e-9, atol=0)
    torch.testing.assert_close(solution.objective, part(source, target))
    assert solution.objective.requires_grad
    assert not solution.value.requires_grad
    torch.testing.assert_close(solution.plan @ target.points, plan @ target.points)
    torch.testing.assert_close(solution.plan.T @ source.points, plan.T @ source.points)
    if reach is None:
        torch.testing.assert_close(plan.sum(1), source.masses)
        torch.testing.assert_close(plan.sum(0), target.masses)


def test_it_says_when_it_has_not_converged() -> None:
    source, target = pair()
    hurried = Sinkhorn(blur=0.01, max_iterations=1)
    hurried.limits = Limits(simplex=0)
    solution = hurried.solve(source, target)
    assert not solution.converged
    assert solution.value.isfinite()
    assert Sinkhorn(blur=0.5).solve(source, target).converged
    assert Sinkhorn(blur=0.5, backend="geomloss").solve(source, target).iterations == 6


@pytest.mark.parametrize(("p", "reach"), [(2, None), (2, 1.0), (1, None), (1, 1.0)])
@pytest.mark.slow
def test_tiles_find_what_matrices_do(p: Any, reach: float | None) -> None:
    source, target = pair(700, 600)
    source.points.requires_grad_()
    target.points.requires_grad_()
    part = Sinkhorn(Euclidean(p), blur=1.0, reach=reach, tolerance=1e-8, max_iterations=300)
    found = []
    for held in (2**30, 2**14):
        part.limits = Limits(held=held)
        value = part(source, target)
        found.append((value, *torch.autograd.grad(value, (source.points, target.points))))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)


def test_memory_is_linear_in_the_points() -> None:
    x, y = (points.float().requires_grad_() for points in (draws(2600, 3), draws(2500, 3, seed=1) + 1))
    with Largest() as largest:
        value = Sinkhorn(blur=1.0)(x, y)
        value.backward()
    assert largest.entries < len(x) * len(y) / 4, "the largest tensor is that of the sparser clouds"
    assert value.item() == pytest.approx(Gaussian()(x, y).item(), rel=0.05)


@pytest.mark.keops
@pytest.mark.parametrize("p", [1, 2])
def test_keops_finds_what_torch_does(p: Any) -> None:
    source, target = pair(60, 50)
    x = source.points.requires_grad_()
    found = []
    for backend in ("dense", "keops"):
        value = Sinkhorn(Euclidean(p), blur=0.5, backend=backend, **CONVERGED)(source, target)
        found.append((value, *torch.autograd.grad(value, x)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("reach", [None, 1.0])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_scales_are_covered_in_single_precision(scale: float, reach: float | None, p: Any) -> None:
    x, y = draws(40, 3), draws(30, 3, seed=1) + 0.5
    options = {"blur": 0.3 * scale, "reach": reach and reach * scale}
    found = Sinkhorn(Euclidean(p), **options)((scale * x).float(), (scale * y).float())
    truth = Sinkhorn(Euclidean(p), blur=0.3, reach=reach)(x, y)
    torch.testing.assert_close(found.double() / scale**p, truth, rtol=1e-3, atol=0)


@pytest.mark.filterwarnings("ignore:Sinkhorn cannot resolve the temperature")
@pytest.mark.parametrize("blur", [1e-9, 0.05, 1e9])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("reach", [None, 0.3])
def test_whatever_the_blur_nothing_is_infinite(p: Any, scale: float, blur: float, reach: float | None) -> None:
    x, y = (scale * draws(20, 3)).float().requires_grad_(), (scale * draws(15, 3, seed=1) + scale).float()
    value = Sinkhorn(Euclidean(p), blur=blur, reach=reach, max_iterations=20)(x, y)
    (gradient,) = torch.autograd.grad(value, x)
    assert value.isfinite()
    assert gradient.isfinite().all()


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("reach", [None, 1.0])
def test_equal_points_and_single_ones_are_seen(p: Any, reach: float | None) -> None:
    """Where all points are equal, their diameter is 0, of which GeomLoss would take the logarithm."""
    point = torch.tensor([[1.0, 2.0, 3.0]])
    for backend in ("auto", "geomloss"):
        part = Sinkhorn(Euclidean(p), reach=reach, backend=backend)
        assert part(point.repeat(5, 1), point.repeat(3, 1)).item() == pytest.approx(0, abs=1e-7)
        if reach is None:
            assert part(point, point + 1).item() == pytest.approx(3 ** (p / 2), rel=1e-5)
