"""The variants of the Gromov-Wasserstein cost: fused, of inner products, the gap, spectral, sliced, and of matrices."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from marks import rest_slow
from naive import points
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Cost
from otae_gromov import GW, FusedGW, GWGap, InnerProductGW, MatrixGW, SlicedGW, SpectralGW

TIGHT: dict[str, Any] = {"tolerance": 1e-10, "max_iterations": 1000}
few = settings(max_examples=10)
seeds = st.integers(0, 99)


def weighted(count: int, size: int, seed: int = 0) -> Cloud:
    """Returns normal points that bear random weights."""
    generator = torch.Generator().manual_seed(seed)
    return Cloud(points(count, size, seed), torch.rand(count, generator=generator, dtype=torch.float64) + 0.2)


def squares(x: Tensor) -> Tensor:
    return torch.cdist(x, x).square()


def rotation(size: int) -> Tensor:
    return torch.linalg.qr(points(size, size, seed=9)).Q


def pot(name: str, *arguments: Any, **options: Any) -> Any:
    """Returns what a function of POT returns, which knows no warning to be an error."""
    import ot

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(ot.gromov, name)(*arguments, **options)


COSTS: dict[str, Cost] = {
    "fused": FusedGW(epsilon=3.0, **TIGHT),
    "exact-fused": FusedGW(alpha=0.3, solver="exact"),
    "inner-product": InnerProductGW(epsilon=2.0, **TIGHT),
    "exact-inner-product": InnerProductGW(solver="exact"),
    "uncentred-inner-product": InnerProductGW(epsilon=2.0, centred=False, **TIGHT),
    "spectral": SpectralGW(),
    "squared-spectral": SpectralGW("sqeuclidean"),
}


@pytest.mark.parametrize("size", rest_slow([3, 12]), ids=["features", "products"])
@pytest.mark.parametrize("name", COSTS)
@pytest.mark.slow
def test_gradients_to_points_and_weights_are_those_of_the_converged_objective(name: str, size: int) -> None:
    x, y = weighted(7, size), weighted(8, size if COSTS[name].same_space else 2, seed=1)

    def value(p: Tensor, v: Tensor, q: Tensor, w: Tensor) -> Tensor:
        return COSTS[name](Cloud(p, v), Cloud(q, w))

    leaves = tuple(each.clone().requires_grad_() for each in (x.flat, x.masses, y.flat, y.masses))
    assert torch.autograd.gradcheck(value, leaves, eps=1e-5, atol=1e-5, rtol=1e-5, fast_mode=True)


@pytest.mark.parametrize("solver", ["exact", "entropic"])
def test_gradients_of_the_gap_and_of_the_lines_reach_weights(solver: Any) -> None:
    gap, sliced = GWGap(solver=solver, epsilon=10.0, **TIGHT), SlicedGW(projections=8)
    x, y = weighted(7, 3), points(7, 2, seed=1)

    def value(p: Tensor, v: Tensor, q: Tensor) -> Tensor:
        torch.manual_seed(0)
        return gap(Cloud(p, v), q) + sliced(Cloud(p, v), q)

    leaves = tuple(each.clone().requires_grad_() for each in (x.flat, x.masses, y))
    assert torch.autograd.gradcheck(value, leaves, eps=1e-6, atol=1e-5, rtol=1e-5, fast_mode=True)


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_the_fused_cost_is_that_of_pot(seed: int, alpha: float) -> None:
    x, y = weighted(10, 3, seed), weighted(8, 3, seed + 50)
    matrices = torch.cdist(x.flat, y.flat).square(), squares(x.flat), squares(y.flat)
    truth = float(pot("fused_gromov_wasserstein2", *matrices, x.masses, y.masses, alpha=alpha))
    found = float(FusedGW(alpha=alpha, solver="exact", starts=4).solve(x, y).value)
    assert found <= truth * (1 + 1e-9)
    assert found > 0.5 * truth


@given(seed=seeds, shift=st.floats(-5, 5))
@few
def test_without_inner_distances_the_fused_cost_is_the_squared_wasserstein_distance(seed: int, shift: float) -> None:
    x, y = points(8, 3, seed), points(8, 3, seed + 1) + shift
    costs = torch.cdist(x, y).square()
    rows, columns = linear_sum_assignment(costs.numpy())
    truth = costs[rows, columns].mean().item()
    assert FusedGW(alpha=0.0, solver="exact")(x, y).item() == pytest.approx(truth, rel=1e-9)
    assert float(FusedGW(alpha=0.0).solve(1e-6 * x, 1e-6 * y).value) == pytest.approx(1e-12 * truth, rel=0.2)


@pytest.mark.parametrize("solver", ["exact", "entropic"])
@given(seed=seeds)
@few
@pytest.mark.slow
def test_of_inner_distances_alone_the_fused_cost_is_gw(solver: Any, seed: int) -> None:
    x, y = weighted(8, 3, seed), weighted(7, 3, seed + 1)
    torch.testing.assert_close(FusedGW(alpha=1.0, solver=solver)(x, y), GW(solver=solver)(x, y))


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_moving_a_cloud_costs_the_way_it_goes(alpha: float) -> None:
    x = points(9, 3)
    step = torch.tensor([1.0, -2.0, 2.0], dtype=torch.float64)
    assert FusedGW(alpha=alpha, solver="exact", starts=2)(x, x + step).item() == pytest.approx(9 * (1 - alpha))


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1e-3, 1e4])
def test_the_share_of_a_fused_cost_carries_the_unit(unit: float) -> None:
    x, y = points(8, 3), points(7, 3, seed=1)
    inside, between = 0.3 / unit**2, 0.7
    share = inside / (inside + between)
    expected = FusedGW(alpha=0.3, solver="exact")(x, y).item() * unit**2 * (1 - share) / between
    found = FusedGW(alpha=share, solver="exact")(unit * x, unit * y).item()
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("centred", [True, False])
def test_the_inner_product_cost_is_the_distortion_of_inner_products(centred: bool) -> None:
    x, y = weighted(9, 3), weighted(7, 2, seed=1)
    plan = InnerProductGW(centred=centred, epsilon=1.0).solve(x, y).plan.dense()
    p, q = ((each.flat - centred * (each.masses @ each.flat)) for each in (x, y))
    gaps = ((p @ p.T)[:, None, :, None] - (q @ q.T)[None, :, None, :]).square()
    truth = torch.einsum("ijkl,ij,kl->", gaps, plan, plan)
    solution = InnerProductGW(centred=centred, epsilon=1.0).solve(x, y)
    torch.testing.assert_close(solution.value, truth, rtol=1e-3, atol=0)


def test_gaussians_are_as_far_apart_as_their_spectra() -> None:
    x, y = points(400, 2) * torch.tensor([2.0, 1.0]), points(400, 2, seed=1) * torch.tensor([0.6, 1.2])
    turned = y @ rotation(2) + 4
    bound, value = SpectralGW()(x, turned).item(), InnerProductGW(epsilon=0.1).solve(x, turned).value.item()
    assert bound == pytest.approx((4 - 1.44) ** 2 + (1 - 0.36) ** 2, rel=0.15)
    assert bound < value < 1.07 * bound


@given(seed=seeds)
@few
def test_the_spectral_bounds_are_below_and_blind_to_isometries(seed: int) -> None:
    x, y = weighted(8, 3, seed), weighted(7, 2, seed + 1)
    for bound, above in (("inner-product", InnerProductGW(solver="exact")), ("sqeuclidean", GW(solver="exact"))):
        cost = SpectralGW(bound)
        assert 0 <= cost(x, y) <= above(x, y) + 1e-9
        torch.testing.assert_close(cost(Cloud(x.flat @ rotation(3) + 7, x.weights), y), cost(x, y))
        torch.testing.assert_close(cost(y, x), cost(x, y))
        assert cost(x, Cloud(-x.flat, x.weights)).item() == pytest.approx(0, abs=1e-12)
        torch.testing.assert_close(cost(3 * x.flat, 3 * y.flat), 81 * cost(x.flat, y.flat))


@pytest.mark.parametrize("bound", ["inner-product", "sqeuclidean"])
def test_spectra_are_the_same_from_points_and_from_products(bound: Any) -> None:
    x, y = weighted(8, 3), weighted(7, 2, seed=1)
    wide = Cloud(torch.nn.functional.pad(x.flat, (0, 20)), x.weights)
    torch.testing.assert_close(SpectralGW(bound)(wide, y), SpectralGW(bound)(x, y))


@given(seed=seeds)
@few
def test_on_a_line_the_sliced_cost_is_the_best_permutation(seed: int) -> None:
    x, y = points(6, 1, seed), points(6, 1, seed + 1)
    c, d = squares(x), squares(y)
    everywhere = (list(order) for order in itertools.permutations(range(6)))
    truth = min((c - d[order][:, order]).square().mean().item() for order in everywhere)
    assert SlicedGW(projections=1)(x, y).item() == pytest.approx(truth, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_on_a_line_the_sliced_cost_is_gw_with_weights_and_sizes(seed: int) -> None:
    x, y = weighted(7, 1, seed), weighted(5, 1, seed + 50)
    torch.testing.assert_close(SlicedGW(projections=1)(x, y), GW(solver="exact", starts=12)(x, y))


def test_the_sliced_cost_sees_no_shift_no_reflection_and_no_zeros() -> None:
    x, cost = points(9, 3), SlicedGW()
    assert cost(x, 4 - x).item() == pytest.approx(0, abs=1e-20)
    assert cost(x, torch.nn.functional.pad(x, (0, 2))).item() == pytest.approx(0, abs=1e-20)


@given(seed=seeds)
@few
def test_the_gap_is_never_negative_and_zero_for_the_best_coupling(seed: int) -> None:
    x, y, gap = points(8, 3, seed), points(8, 2, seed + 1), GWGap(solver="exact")
    assert gap(x, y) >= -1e-9
    solution = gap.solve(x, y)
    paired = y[solution.plan.dense().argmax(1)]
    assert solution.value > 0.01, "the spaces are not isometric"
    assert gap(x, paired).item() == pytest.approx(0, abs=1e-9)


def test_the_gap_of_an_isometry_is_zero_unless_shuffled() -> None:
    x, gap = points(8, 3), GWGap(solver="exact")
    y = x @ rotation(3) + 1
    assert gap(x, y).item() == pytest.approx(0, abs=1e-9)
    assert gap(x, y.roll(1, 0)).item() > 1


def test_the_gap_takes_the_best_coupling_off_the_given_one() -> None:
    x, y = weighted(8, 3), points(8, 2, seed=1)
    weights = x.masses[:, None] * x.masses
    given_one = (weights * (squares(x.flat) - squares(y)).square()).sum()
    gap = GWGap(epsilon=3.0)
    best = GW(epsilon=3.0).solve(x, Cloud(y, x.weights)).objective
    torch.testing.assert_close(gap(x, y), given_one - best, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(gap(x, y), gap.solve(x, y).objective)


def graph(count: int, seed: int) -> Tensor:
    """Returns a symmetric matrix that no points have for distances."""
    matrix = points(count, count, seed).abs()
    return (matrix + matrix.T) / 2


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_matrices_of_any_kind_cost_what_they_cost_in_pot(seed: int) -> None:
    c, d = Cloud(graph(8, seed), weighted(8, 1, seed).weights), Cloud(graph(6, seed + 9), weighted(6, 1, 3).weights)
    truth = float(pot("gromov_wasserstein2", c.flat, d.flat, c.masses, d.masses, tol_rel=1e-9))
    solution = MatrixGW().solve(c, d)
    assert float(solution.value) == pytest.approx(truth, rel=1e-4), "descent is slow where no vertex is best"
    gaps = (c.flat[:, None, :, None] - d.flat[None, :, None, :]).square()
    plan = solution.plan.dense()
    torch.testing.assert_close(torch.einsum("ijkl,ij,kl->", gaps, plan, plan), solution.value)


def test_matrices_in_another_order_cost_nothing() -> None:
    c, order = graph(6, 0), torch.tensor([2, 0, 1, 5, 3, 4])
    assert MatrixGW()(c, c[order][:, order]).item() == pytest.approx(0, abs=1e-9)
    assert MatrixGW()(c.float(), c.float()).dtype == torch.float32


def test_gradients_reach_matrices_and_their_weights() -> None:
    c, d = weighted(7, 3), weighted(6, 2, seed=1)

    def value(p: Tensor, v: Tensor, q: Tensor, w: Tensor) -> Tensor:
        return MatrixGW()(Cloud((p + p.T) / 2, v), Cloud((q + q.T) / 2, w))

    matrices = torch.cdist(c.flat, c.flat), c.masses, torch.cdist(d.flat, d.flat), d.masses
    leaves = tuple(each.clone().requires_grad_() for each in matrices)
    assert torch.autograd.gradcheck(value, leaves, eps=1e-6, atol=1e-6, rtol=1e-5, fast_mode=True)


@pytest.mark.parametrize(("matrix", "message"), [
    (torch.zeros(3, 2), "square matrix"),
    (torch.tensor([[0.0, 1.0], [2.0, 0.0]]), "symmetric"),
    (torch.tensor([[0.0, torch.inf], [torch.inf, 0.0]]), "finite"),
], ids=["rectangular", "asymmetric", "infinite"])  # fmt: skip
def test_what_is_no_matrix_of_distances_is_refused(matrix: Tensor, message: str) -> None:
    with pytest.raises(CloudError, match=message):
        MatrixGW()(matrix, torch.zeros(2, 2))
