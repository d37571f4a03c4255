"""The exact Wasserstein cost: assignments, POT and SciPy, potentials that prove the plan best, and gradients."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.stats import wasserstein_distance
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.reductions import load_library
from otae.transport import Euclidean
from otae_wasserstein import Exact, Sliced


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def masses(count: int, seed: int = 0) -> Tensor:
    return 0.2 + torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])
def test_it_is_the_cost_of_the_best_assignment(p: float) -> None:
    x, y = draws(12, 3), draws(12, 3, seed=1)
    costs = torch.cdist(x, y).pow(p).numpy()
    assert Exact(Euclidean(p))(x, y).item() == pytest.approx(costs[linear_sum_assignment(costs)].mean(), rel=1e-12)


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("empty", [0, 3])
def test_pot_agrees_and_the_potentials_prove_it(p: float, empty: int) -> None:
    ot = load_library("ot")
    x, y, a, b = draws(9, 3), draws(7, 3, seed=1), masses(9), masses(7, seed=1)
    a[:empty], b[:empty] = 0, 0
    solution = Exact(Euclidean(p)).solve(Cloud(x, a), Cloud(y, b))
    costs, a, b = torch.cdist(x, y).pow(p), a / a.sum(), b / b.sum()
    theirs = float(ot.emd2(a, b, costs))
    assert solution.converged
    assert solution.value.item() == pytest.approx(theirs, rel=1e-12)
    assert solution.objective.item() == pytest.approx(theirs, rel=1e-12)
    plan, (f, g) = solution.plan.dense(), solution.potentials
    torch.testing.assert_close(plan.sum(1), a)
    torch.testing.assert_close(plan.sum(0), b)
    slack = costs - f[:, None] - g
    assert slack[(a > 0)[:, None] | (b > 0)].min() > -1e-12, "the potentials are feasible"
    assert (slack * plan).sum() < 1e-12, "and tight where mass goes"
    for one in (a @ f, b @ g):
        assert one.item() == pytest.approx(theirs / 2, rel=1e-9)


def test_a_plan_is_an_operator() -> None:
    plan = Exact().solve(Cloud(draws(9, 3), masses(9)), draws(7, 3, seed=1)).plan
    values, others = draws(7, 2), draws(9, 2)
    assert plan.shape == (9, 7)
    torch.testing.assert_close(plan @ values, plan.dense() @ values)
    torch.testing.assert_close(plan.T @ others, plan.dense().T @ others)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_gradients_are_right_in_points_and_weights(p: float) -> None:
    inputs = [each.requires_grad_() for each in (draws(6, 3), masses(6), draws(5, 3, seed=1), masses(5, seed=1))]
    assert torch.autograd.gradcheck(lambda x, a, y, b: Exact(Euclidean(p))(Cloud(x, a), Cloud(y, b)), inputs)


def test_a_point_without_mass_still_knows_what_mass_would_cost() -> None:
    x, y, b = draws(6, 3), draws(5, 3, seed=1), masses(5)
    weights = masses(6)
    weights[2] = 0
    weights.requires_grad_()
    (gradient,) = torch.autograd.grad(Exact()(Cloud(x, weights), Cloud(y, b)), weights)
    more = weights.detach().clone()
    more[2] = 1e-6
    rise = Exact()(Cloud(x, more), Cloud(y, b)) - Exact()(Cloud(x, weights), Cloud(y, b))
    assert gradient[2].item() == pytest.approx(rise.item() / 1e-6, rel=1e-4)


@given(seed=st.integers(0, 99), factor=st.floats(0.2, 5))
@pytest.mark.slow
def test_on_the_line_all_agree(seed: int, factor: float) -> None:
    x, y, a, b = draws(8, 1, seed=seed), factor * draws(6, 1, seed=seed + 1) + 3, masses(8), masses(6)
    for p in (1.0, 2.0, 3.0):
        torch.testing.assert_close(
            Exact(Euclidean(p))(Cloud(x, a), Cloud(y, b)), Sliced(1, p)(Cloud(x, a), Cloud(y, b))
        )
    truth = wasserstein_distance(x[:, 0], y[:, 0], a, b)
    assert Exact(Euclidean(1.0))(Cloud(x, a), Cloud(y, b)).item() == pytest.approx(truth, rel=1e-9)


@given(seed=st.integers(0, 99), factor=st.floats(0.1, 10), p=st.sampled_from([1.0, 2.0]))
@pytest.mark.slow
def test_it_follows_the_laws_of_a_distance(seed: int, factor: float, p: float) -> None:
    x, y, z = (draws(6, 3, seed=seed + 100 * k) for k in range(3))
    turn, order = torch.linalg.qr(draws(3, 3, seed=seed)).Q, torch.tensor([3, 1, 4, 0, 5, 2])
    value = Exact(Euclidean(p))(x, y)
    torch.testing.assert_close(Exact(Euclidean(p))(y[order], x), value)
    torch.testing.assert_close(Exact(Euclidean(p))(factor * x @ turn + 1, factor * y @ turn + 1), factor**p * value)
    assert Exact(Euclidean(p))(x, x[order]) == 0
    assert value ** (1 / p) <= Exact(Euclidean(p))(x, z) ** (1 / p) + Exact(Euclidean(p))(z, y) ** (1 / p)


def test_a_translation_costs_its_squared_length() -> None:
    x = draws(8, 3)
    assert Exact()(x, x + torch.tensor([2.0, 0.0, 1.0])).item() == pytest.approx(5, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_scales_and_distances_do_not_disturb_it_in_single_precision(scale: float) -> None:
    x, y = draws(30, 4), draws(40, 4, seed=1) + 3
    found = Exact()((scale * (x + 50)).float(), (scale * (y + 50)).float())
    torch.testing.assert_close(found.double(), scale**2 * Exact()(x, y), rtol=1e-4, atol=0)
    collapsed = torch.full((5, 4), scale, requires_grad=True)
    (gradient,) = torch.autograd.grad(Exact(Euclidean(1.0))(collapsed, collapsed.detach()), collapsed)
    assert (gradient == 0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_raised(dtype: torch.dtype) -> None:
    x, y = draws(30, 3).to(dtype), draws(20, 3, seed=1).to(dtype)
    torch.testing.assert_close(Exact()(x, y), Exact()(x.float(), y.float()))


def test_a_simplex_that_gives_up_says_so() -> None:
    with pytest.warns(UserWarning, match="numItermax"):
        solution = Exact(max_iterations=1).solve(draws(20, 2), draws(20, 2, seed=1))
    assert not solution.converged


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
def test_points_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(CloudError, match="not finite"):
        Exact()(torch.full((2, 2), value), torch.zeros(2, 2))


def test_solve_takes_what_the_cost_takes() -> None:
    with pytest.raises(CloudError, match="one space"):
        Exact().solve(torch.zeros(2, 2), torch.zeros(2, 3))
    joint = Exact().solve([torch.zeros(2, 1), torch.ones(2, 2)], torch.zeros(3, 3))
    assert joint.value.item() == 2
