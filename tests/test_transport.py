"""The transport core: gaps that bound, divergences that are never below 0, matrices of costs, starts, and one's own cost."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import otae
from otae.cloud import Cloud
from otae.errors import CloudError
from otae.reductions import load_library
from otae.term import Term
from otae.transport import Limits, Measure, Optimum, Plan, Transport, solve_matrix
from otae.transport.envelope import Needs
from otae_gromov import GW, MatrixGW
from otae_wasserstein import Exact, Sinkhorn


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def wide(column: float) -> tuple[Tensor, Tensor]:
    """Returns tables of one wide column, which is the same in both, and three others, which are not."""
    scale = torch.tensor([column, 1, 1, 1], dtype=torch.float64)
    x, y = draws(80, 4), draws(80, 4)
    y[:, 1:] = 2 * draws(80, 3, seed=1)
    return x * scale, (y * scale).flip(0)


@pytest.mark.parametrize("column", [1.0, 10.0, 1000.0])
def test_a_wide_column_leaves_the_divergence_within_its_gap_of_the_exact_cost(column: float) -> None:
    x, y = wide(column)
    solution, exact = Sinkhorn().solve(x, y), Exact()(x, y).item()
    entropy = 0.005 * torch.tensor(80.0).log().item()
    assert solution.converged
    assert abs(solution.objective.item() - exact) <= solution.gap + 2 * entropy
    assert solution.objective.item() == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("far", [1e2, 1e4, 1e5])
def test_an_outlier_changes_nothing_in_single_precision(far: float) -> None:
    outlier = torch.tensor([[far, 0.0]], dtype=torch.float64)
    x, y = torch.cat([draws(40, 2), outlier]).float(), torch.cat([2 * draws(40, 2).flip(0), outlier]).float()
    found = Sinkhorn(blur=0.1, tolerance=1e-4, max_iterations=3000)(x, y).item()
    assert found == pytest.approx(Exact()(x.double(), y.double()).item(), rel=1e-2)


@pytest.mark.parametrize("iterations", [1, 5, 100])
@pytest.mark.parametrize("spread", [1.0, 10.0, 100.0])
def test_the_divergence_is_never_below_0_however_far_from_converged(spread: float, iterations: int) -> None:
    for seed in range(4):
        x = spread * draws(30, 2, seed=seed)
        part = Sinkhorn(max_iterations=iterations)
        part.limits = Limits(simplex=0)
        assert part(x, x + 0.01 * spread * draws(30, 2, seed=9)).item() >= -1e-9 * spread**2


def test_the_gap_bounds_the_error_of_a_hurried_solve() -> None:
    x, y = draws(40, 3), draws(30, 3, seed=1) + 0.5
    exact = Sinkhorn(blur=0.3, debias=False, tolerance=1e-11, max_iterations=3000)(x, y).item()
    for iterations in (1, 2, 5, 20):
        part = Sinkhorn(blur=0.3, debias=False, tolerance=1e-11, max_iterations=iterations)
        part.limits = Limits(simplex=0)
        found = part.solve(x, y)
        assert -1e-9 <= exact - found.objective.item() <= found.gap + 1e-9
        assert found.marginal_error == pytest.approx((found.plan.dense().sum(1) - 1 / 40).abs().sum().item(), abs=1e-9)


def test_a_temperature_that_cannot_be_resolved_is_told_and_warned_of_once() -> None:
    x, y = 1e6 * draws(10, 2), 1e6 * draws(10, 2, seed=1)
    part = Sinkhorn(blur=1e-6, max_iterations=3)
    part.limits = Limits(simplex=0)
    with pytest.warns(RuntimeWarning, match="cannot resolve the temperature"):
        solution = part.solve(x, y)
    assert solution.temperature > solution.asked == pytest.approx(2e-12)
    part.solve(x, y)  # a second warning would be an error


@pytest.mark.parametrize("part", [Sinkhorn(blur=0.1), GW(epsilon=5.0)])
def test_a_start_from_a_similar_solution_takes_a_third_of_the_iterations(part: Any) -> None:
    x, y = draws(40, 3), draws(30, 3, seed=1) * torch.tensor([1.0, 0.6, 0.3], dtype=torch.float64)
    first = part.solve(x, y)
    moved = x + 1e-4 * draws(40, 3, seed=2)
    cold, warm = part.solve(moved, y), part.solve(moved, y, start=first)
    assert warm.converged
    assert warm.objective.item() == pytest.approx(cold.objective.item(), rel=1e-3)
    assert 3 * warm.iterations <= cold.iterations


def test_a_start_of_another_size_is_refused() -> None:
    first = Sinkhorn(blur=0.5).solve(draws(5, 2), draws(4, 2))
    with pytest.raises(CloudError, match=r"\(5, 4\).*6 and 4"):
        Sinkhorn(blur=0.5).solve(draws(6, 2), draws(4, 2), start=first)


@pytest.mark.parametrize("epsilon", [0.0, 0.1])
def test_a_matrix_of_costs_is_solved_as_by_pot(epsilon: float) -> None:
    ot = load_library("ot")
    costs, a, b = draws(6, 5).requires_grad_(), draws(6).exp().requires_grad_(), draws(5, seed=1).exp()
    solution = solve_matrix(costs, a, b, epsilon)
    masses, others = (a / a.sum()).detach(), b / b.sum()
    plan = ot.sinkhorn(masses, others, costs.detach(), 0.1) if epsilon else ot.emd(masses, others, costs.detach())
    torch.testing.assert_close(solution.plan.dense(), plan, rtol=0, atol=1e-3 if epsilon else 1e-9)
    (slopes,) = torch.autograd.grad(solution.objective, costs)
    torch.testing.assert_close(slopes, solution.plan.dense())


def test_costs_of_ones_own_give_what_distances_do() -> None:
    x, y = draws(8, 2), draws(7, 2, seed=1)
    costs = torch.cdist(x, y).square()
    torch.testing.assert_close(Exact().solve_matrix(costs).objective, Exact()(x, y))


@pytest.mark.parametrize("unit", [1e-10, 1.0, 1e6])
def test_a_graph_with_its_nodes_renamed_is_at_distance_0_in_any_unit(unit: float) -> None:
    steps = torch.arange(8)
    gaps = (steps[:, None] - steps).abs()
    cycle = unit * torch.minimum(gaps, 8 - gaps).double()
    order = torch.tensor([5, 2, 7, 0, 3, 1, 6, 4])
    solution = MatrixGW().solve(cycle, cycle[order][:, order])
    assert solution.value.item() == pytest.approx(0, abs=1e-9 * unit**2)
    assert solution.converged


class Means(Transport):
    """Creates the least transport there is: all mass goes by the mean, at the cost of the means' distance.

    It is what an author writes: the problem, its solution and gradients.
    """

    def find(self, source: Measure, target: Measure, needs: Needs, start: object) -> Optimum:
        shift = source.centre - target.centre
        value = shift.square().sum()
        slopes = (
            2 * source.masses[:, None] * shift,
            -2 * target.masses[:, None] * shift,
            2 * source.points @ shift,
            -2 * target.points @ shift,
        )
        plan = Plan.of(source.masses[:, None] * target.masses)
        potentials = (torch.zeros_like(source.masses), torch.zeros_like(target.masses))
        return Optimum(value, slopes, plan, lambda: (value, potentials), iterations=3, converged=False)


def test_a_cost_of_ones_own_has_gradients_and_a_solution() -> None:
    inputs = [each.requires_grad_() for each in (draws(4, 2), draws(4).exp(), draws(3, 2, seed=1))]
    assert torch.autograd.gradcheck(lambda x, a, y: Means()(Cloud(x, a), y), inputs)
    assert Means().solve(inputs[0], inputs[2]).iterations == 3


def test_a_term_whose_cost_did_not_converge_says_so_once_and_counts() -> None:
    term = Term(Means(), "code", "prior")
    term.cost(draws(4, 2), draws(3, 2))
    with pytest.warns(RuntimeWarning, match=r"The term 'fit': Means did not converge.*Raise max_iterations"):
        assert term.take_unconverged("fit") == 1.0
    term.cost(draws(4, 2), draws(3, 2))
    assert term.take_unconverged("fit") == 1.0
    assert term.take_unconverged("fit") is None


@pytest.mark.parametrize("name", ["mmd", "sliced", "gaussian", "sinkhorn"])
def test_a_batch_may_be_padded(name: str) -> None:
    part = otae.costs.create(name, **({"blur": 0.5} if name == "sinkhorn" else {}))
    x, y = draws(2, 5, 3), draws(2, 6, 3, seed=1)
    weights = torch.ones(2, 5, dtype=torch.float64)
    weights[1, 3:] = 0
    x[1, 3:] = torch.nan
    torch.manual_seed(0)
    found = part.batched(x, y, weights)
    apart = []
    for source, target in ((x[0], y[0]), (x[1, :3], y[1])):
        torch.manual_seed(0)  # draws are shared by a batch
        apart.append(part(source, target))
    torch.testing.assert_close(found, torch.stack(apart), rtol=1e-4 if name == "sinkhorn" else 1e-6, atol=1e-9)
