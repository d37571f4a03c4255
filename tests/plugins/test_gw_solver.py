"""How the solvers of Gromov-Wasserstein costs fare: what they return, in which precision, and how large their tensors are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from naive import Largest, points
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Cost
from otae.transport import Euclidean, Limits
from otae_gromov import GW, FusedGW, GWGap, InnerProductGW, SlicedGW, SpectralGW

SOLVED: dict[str, Any] = {
    "gw": GW(),
    "exact-gw": GW(solver="exact"),
    "euclidean-gw": GW(ground=Euclidean()),
    "debiased-gw": GW(debias="same"),
    "fused": FusedGW(),
    "exact-fused": FusedGW(solver="exact"),
    "inner-product": InnerProductGW(),
    "gap": GWGap(),
    "exact-gap": GWGap(solver="exact"),
}
COSTS: dict[str, Cost] = {
    **SOLVED,
    "halved-gw": GW(debias="halves"),
    "spectral": SpectralGW(),
    "squared-spectral": SpectralGW("sqeuclidean"),
    "sliced": SlicedGW(),
}
DEGREES = {name: 4 for name in COSTS if "fused" not in name} | {"euclidean-gw": 2}


def clouds() -> tuple[Tensor, Tensor]:
    return points(10, 3, dtype=torch.float32), 1.5 * points(10, 3, 1, torch.float32)


def evaluate(cost: Cost, x: Tensor, y: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Returns a cost, from one seed, and its gradient in the source."""
    torch.manual_seed(0)
    x = x.detach().clone().requires_grad_()
    value = cost(Cloud(x, weights), y)
    (gradient,) = torch.autograd.grad(value, x)
    assert value.isfinite()
    assert gradient.isfinite().all()
    return value.detach(), gradient


@pytest.mark.parametrize("name", DEGREES)
@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_single_precision_does_for_any_scale(name: str, factor: float) -> None:
    x, y = clouds()
    value, gradient = evaluate(COSTS[name], x, y)
    scaled, steeper = evaluate(COSTS[name], factor * x, factor * y)
    degree = DEGREES[name]
    assert scaled.item() == pytest.approx(factor**degree * value.item(), rel=1e-3)
    torch.testing.assert_close(
        steeper / factor ** (degree - 1), gradient, rtol=0, atol=2e-2 * gradient.abs().max().item()
    )


@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("solver", ["entropic", "exact"])
def test_fused_costs_take_any_scale(solver: Any, factor: float) -> None:
    x, y = clouds()
    cost = FusedGW(solver=solver)
    evaluate(cost, factor * x, factor * y)
    solution = cost.solve(factor * x, factor * y)
    assert solution.converged
    truth = cost.solve(factor * x.double(), factor * y.double())
    assert float(solution.value) == pytest.approx(float(truth.value), rel=1e-3)


@pytest.mark.parametrize("name", DEGREES)
def test_clouds_may_lie_far_apart_in_single_precision(name: str) -> None:
    x, y = clouds()
    assert evaluate(COSTS[name], x + 1e4, y - 1e4)[0].item() == pytest.approx(
        evaluate(COSTS[name], x, y)[0].item(), rel=5e-3
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", COSTS)
@pytest.mark.slow
def test_points_may_coincide(name: str, dtype: torch.dtype) -> None:
    x, y = (each.to(dtype) for each in clouds())
    place = torch.full((10, 3), 0.3, dtype=dtype)
    weights = torch.linspace(0.2, 1, 10, dtype=dtype)
    for source, target in ((place, y), (x, place), (place, place + 1), (x.repeat(2, 1)[:10], y[[0] * 9 + [1]])):
        evaluate(COSTS[name], source, target)
        evaluate(COSTS[name], source, target, weights)
    if "fused" not in name:
        assert evaluate(COSTS[name], place, place + 1)[0].item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", [name for name in COSTS if "gap" not in name and name != "halved-gw"])
def test_one_point_on_either_side_is_enough(name: str) -> None:
    x, y = clouds()
    for source, target in ((x[:1], y[:1]), (x, y[:1]), (x[:1], y)):
        value = evaluate(COSTS[name], source, target)[0].item()
        if name in DEGREES:
            scaled = evaluate(COSTS[name], 1e-6 * source, 1e-6 * target)[0].item()
            assert scaled == pytest.approx(1e-6 ** DEGREES[name] * value, rel=1e-3)


@pytest.mark.parametrize("name", [name for name in COSTS if name != "halved-gw"])
def test_points_without_mass_may_as_well_be_left_out(name: str) -> None:
    x, y = clouds()
    weights = torch.tensor([1.0, 0, 2, 1, 3, 1, 1, 2, 1, 0])
    kept = weights > 0
    partner = y[kept] if COSTS[name].paired else y
    part = evaluate(COSTS[name], x[kept], partner, weights[kept])[0]
    torch.testing.assert_close(evaluate(COSTS[name], x, y, weights)[0], part, rtol=2e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("name", COSTS)
def test_half_precision_is_raised(name: str, dtype: torch.dtype) -> None:
    x, y = (each.to(dtype) for each in clouds())
    value, gradient = evaluate(COSTS[name], x, y)
    truth, slope = evaluate(COSTS[name], x.float(), y.float())
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, truth, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradient.float(), slope, rtol=0, atol=2e-2 * slope.abs().max().item())


@pytest.mark.parametrize("name", COSTS)
def test_mixed_precision_changes_nothing(name: str) -> None:
    x, y = clouds()
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        value = COSTS[name](x, y)
    torch.testing.assert_close(value, evaluate(COSTS[name], x, y)[0])


@pytest.mark.parametrize("name", SOLVED)
def test_mixed_precision_changes_no_solution(name: str) -> None:
    x, y = clouds()
    with torch.autocast("cpu", torch.bfloat16):
        value = SOLVED[name].solve(x, y).value
    assert value == SOLVED[name].solve(x, y).value


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("name", COSTS)
def test_points_that_are_not_finite_are_refused(name: str, bad: float) -> None:
    x, y = clouds()
    x[2, 1] = bad
    with pytest.raises(CloudError, match="not finite"):
        COSTS[name](x, y)
    with pytest.raises(CloudError, match="not finite"):
        COSTS[name](y, x)


@pytest.mark.parametrize("name", SOLVED)
def test_points_without_entries_are_refused(name: str) -> None:
    with pytest.raises(CloudError, match="no entries"):
        SOLVED[name](torch.ones(4, 0), torch.ones(4, 0))


@pytest.mark.parametrize("name", SOLVED)
def test_a_solution_holds_a_coupling(name: str) -> None:
    x, y = (each.double() for each in clouds())
    weights = torch.linspace(0.2, 1, 10, dtype=torch.float64)
    solution = SOLVED[name].solve(Cloud(x, weights), y)
    plan, values = solution.plan.dense(), points(10, 2, seed=5)
    assert solution.converged
    assert 0 < solution.iterations <= 100
    assert not solution.value.requires_grad
    assert (plan >= 0).all()
    assert plan.sum() == pytest.approx(1)
    assert (plan.sum(1) - weights / weights.sum()).abs().sum() <= 1e-4
    assert solution.plan.shape == (10, 10)
    torch.testing.assert_close(solution.plan @ values, plan @ values)
    torch.testing.assert_close(solution.plan.T @ values, plan.T @ values)
    torch.testing.assert_close(solution.plan.T.dense(), plan.T)
    assert [len(each) for each in solution.potentials] == [10, 10]


def test_a_solver_that_is_stopped_says_so() -> None:
    solution = GW(max_iterations=1).solve(*clouds())
    assert (solution.converged, solution.iterations) == (False, 1)


def test_the_precision_of_numbers_bounds_the_tolerance() -> None:
    assert GW(tolerance=1e-12).solve(*clouds()).converged


def test_a_colder_problem_has_a_better_plan_and_a_hotter_one_more_entropy() -> None:
    x, y = clouds()
    values, objectives = torch.tensor(
        [
            [float(found.value), float(found.objective)]
            for found in (GW(epsilon=epsilon).solve(x, y) for epsilon in (1.0, 10.0, 100.0))
        ]
    ).T
    assert (values.diff() > 0).all()
    assert (objectives.diff() > 0).all()
    assert (objectives > values).all()


def skewed(size: int, seed: int) -> Tensor:
    """Returns points of which few lie far out, in single precision."""
    x = points(300, size, seed) * torch.linspace(1.5, 0.5, size, dtype=torch.float64)
    return (x + 0.3 * x.square()).float()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_annealed_to_little_entropy_it_comes_near_the_value_of_an_exact_solver(seed: int) -> None:
    x, y = skewed(2, seed), skewed(3, seed + 50)
    spread = float(GW().problem(Cloud(x), Cloud(y)).unit)
    solution = GW(epsilon=0.007 * spread, tolerance=5e-4).solve(x, y)
    assert solution.converged
    assert solution.iterations < 40
    assert float(solution.value) <= 1.02 * float(GW(solver="exact").solve(x, y).value)


@pytest.mark.slow
def test_a_kernel_that_is_summed_over_solves_as_one_that_is_held() -> None:
    x, y = points(40, 3), points(30, 2, seed=1)
    cost = GW(epsilon=3.0, tolerance=1e-8, max_iterations=300, backend="dense")
    held = cost.solve(x, y)
    cost.limits = Limits(held=0)
    summed = cost.solve(x, y)
    torch.testing.assert_close(summed.objective, held.objective, rtol=1e-9, atol=0)
    torch.testing.assert_close(summed.plan.dense(), held.plan.dense(), rtol=0, atol=1e-8)


@pytest.mark.slow
def test_a_kernel_that_is_summed_over_is_never_held() -> None:
    x, y = points(3000, 3, dtype=torch.float32).requires_grad_(), points(3000, 2, 1, torch.float32)
    cost = GW(max_iterations=2, backend="dense")
    cost.limits = Limits(held=0)
    with Largest() as mode:
        cost(x, y).backward()
    assert mode.entries <= 2**18
    assert x.grad.isfinite().all()


@pytest.mark.keops
def test_keops_solves_as_dense_blocks_do() -> None:
    x, y = points(40, 3), points(30, 2, seed=1)
    dense, lazy = (GW(epsilon=3.0, tolerance=1e-8, max_iterations=300, backend=name) for name in ("dense", "keops"))
    torch.testing.assert_close(lazy(x, y), dense(x, y), rtol=1e-9, atol=0)
