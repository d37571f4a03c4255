"""The solved Gromov-Wasserstein cost: its formula, POT's results, gradients, laws and precision."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from marks import rest_slow
from naive import points
from torch import Tensor

from otae import grounds
from otae.cloud import Cloud
from otae.interfaces import Plan, Solution
from otae.transport import Euclidean
from otae_gromov import GW, SpectralGW
from otae_gromov.geometry import Features, Geometry, Gram, lift, squared_euclidean
from otae_gromov.quadratic import Quadratic, squared_gw

TIGHT: dict[str, Any] = {"tolerance": 1e-10, "max_iterations": 1000}
GROUNDS = {"sqeuclidean": 2, "euclidean": 1}
few = settings(max_examples=10)
seeds = st.integers(0, 99)


def weighted(count: int, size: int, seed: int = 0, spread: float = 1.0) -> Cloud:
    """Returns normal points that bear random weights."""
    generator = torch.Generator().manual_seed(seed)
    return Cloud(spread * points(count, size, seed), torch.rand(count, generator=generator, dtype=torch.float64) + 0.2)


def fourfold(c: Tensor, d: Tensor, plan: Tensor) -> Tensor:
    """Returns the distortion of a coupling of two distance matrices, summed over all quadruples."""
    gaps = (c[:, None, :, None] - d[None, :, None, :]).square()
    return torch.einsum("ijkl,ij,kl->", gaps, plan, plan)


def inner(cloud: Cloud, ground: str = "sqeuclidean") -> Tensor:
    return torch.cdist(cloud.flat, cloud.flat) ** GROUNDS[ground]


def divergence(plan: Tensor, a: Tensor, b: Tensor) -> float:
    """Returns the divergence KL(P | a ⊗ b), which masses of 1 on both sides make the entropy of POT's objective."""
    return float((plan * (plan / (a[:, None] * b)).clamp_min(1e-300).log()).sum())


def turned(x: Tensor, seed: int = 7) -> Tensor:
    """Returns the points rotated, reflected and moved into a space of one dimension more, in another order."""
    frame = torch.linalg.qr(points(x.shape[1] + 1, x.shape[1], seed)).Q
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    return (x @ frame.T + 3)[order]


def problem(x: Geometry, y: Geometry) -> tuple[Quadratic, Tensor, Tensor]:
    """Returns a problem, a random coupling with its marginals, and the value that the lift gives that coupling."""
    plan = torch.rand(len(x.masses), len(y.masses), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for _ in range(200):
        plan = plan * (x.masses / plan.sum(1))[:, None]
        plan = plan * (y.masses / plan.sum(0))
    found, given = squared_gw(x, y), Plan.of(plan)
    return found, plan, found.value(given, found.moment(given))


@pytest.mark.parametrize(("d", "e"), [(3, 2), (20, 2), (3, 20), (20, 20)])
def test_the_lift_gives_any_coupling_its_distortion(d: int, e: int) -> None:
    x, y = weighted(9, d), weighted(7, e, seed=1)
    _, plan, value = problem(squared_euclidean(x), squared_euclidean(y))
    torch.testing.assert_close(value, fourfold(inner(x), inner(y), plan), rtol=1e-12, atol=0)


def test_the_lift_of_plain_distances_gives_any_coupling_its_distortion() -> None:
    x, y = weighted(9, 3), weighted(7, 2, seed=1)
    _, plan, value = problem(lift(x, Euclidean()), lift(y, Euclidean()))
    torch.testing.assert_close(value, fourfold(inner(x, "euclidean"), inner(y, "euclidean"), plan), rtol=1e-12, atol=0)


def test_products_of_points_say_what_their_features_say() -> None:
    x, y = weighted(9, 3), weighted(7, 2, seed=1)
    wide = Cloud(torch.nn.functional.pad(x.flat, (4, 20)), x.weights)
    assert isinstance(squared_euclidean(x), Features)
    assert isinstance(squared_euclidean(wide), Gram)
    for cost in (GW(epsilon=3, **TIGHT), GW(solver="exact")):
        torch.testing.assert_close(cost(wide, y), cost(x, y), rtol=1e-8, atol=0)


def pot(name: str, *arguments: Any, **options: Any) -> Any:
    """Returns what a function of POT returns, which knows no warning to be an error."""
    import warnings

    import ot

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(ot.gromov, name)(*arguments, **options)


@pytest.mark.parametrize("seed", range(6))
def test_the_exact_solver_from_two_starts_is_no_worse_than_that_of_pot(seed: int) -> None:
    x, y = weighted(12, 3, seed), weighted(9, 2, seed + 50, spread=1.5)
    truth = float(pot("gromov_wasserstein2", inner(x), inner(y), x.masses, y.masses))
    assert float(GW(solver="exact", starts=2).solve(x, y).value) <= truth * (1 + 1e-9)


def test_the_exact_solver_finds_the_value_of_pot() -> None:
    x, y = weighted(12, 3, seed=1), weighted(9, 2, seed=51, spread=1.5)
    plan = torch.as_tensor(pot("gromov_wasserstein", inner(x), inner(y), x.masses, y.masses))
    solution = GW(solver="exact").solve(x, y)
    torch.testing.assert_close(solution.value, fourfold(inner(x), inner(y), plan), rtol=1e-9, atol=0)
    torch.testing.assert_close(solution.plan.dense(), plan)


PROBLEMS: list[tuple[Any, float]] = [("sqeuclidean", 3.0), ("sqeuclidean", 30.0), ("euclidean", 1.0)]


def entropic(seed: int, ground: Any, epsilon: float) -> tuple[Tensor, float, float, Solution]:
    """Returns the plan, value and objective that POT finds, and the solution that is found here."""
    x, y = weighted(12, 3, seed), weighted(9, 2, seed + 50, spread=1.5)
    limits: dict[str, Any] = {"tol": 1e-12, "max_iter": 3000, "numItermax": 5000, "stopThr": 1e-13}
    matrices = inner(x, ground), inner(y, ground), x.masses, y.masses
    plan = pot("entropic_gromov_wasserstein", *matrices, epsilon=epsilon, **limits)
    value = float(fourfold(*matrices[:2], plan))
    whole = value + epsilon * divergence(plan, x.masses, y.masses)
    return (
        plan,
        value,
        whole,
        GW(ground=grounds.create(ground), epsilon=epsilon, tolerance=1e-9, max_iterations=500).solve(x, y),
    )


@pytest.mark.parametrize(("ground", "epsilon"), PROBLEMS)
@pytest.mark.parametrize("seed", rest_slow([3, 7]))
@pytest.mark.slow
def test_the_entropic_solver_finds_what_pot_finds(seed: int, ground: Any, epsilon: float) -> None:
    plan, value, whole, solution = entropic(seed, ground, epsilon)
    assert solution.converged
    assert float(solution.value) == pytest.approx(value, rel=1e-6)
    assert solution.objective.item() == pytest.approx(whole, rel=1e-6)
    torch.testing.assert_close(solution.plan.dense(), plan, rtol=0, atol=1e-7)


@pytest.mark.parametrize("seed", [1, 6])
@pytest.mark.slow
def test_where_pot_is_caught_in_a_local_optimum_annealing_is_not(seed: int) -> None:
    _, _, whole, solution = entropic(seed, "sqeuclidean", 3.0)
    assert solution.objective.item() < 0.95 * whole


CONVERGED = {
    "entropic": GW(epsilon=3.0, **TIGHT),
    "exact": GW(solver="exact"),
    "euclidean": GW(ground=Euclidean(), epsilon=0.5, **TIGHT),
    "exact-euclidean": GW(ground=Euclidean(), solver="exact"),
    "same": GW(epsilon=20.0, debias="same", **TIGHT),
    "halves": GW(epsilon=50.0, debias="halves", **TIGHT),
    "exact-halves": GW(solver="exact", debias="halves"),
}


@pytest.mark.parametrize("size", rest_slow([3, 12]), ids=["features", "products"])
@pytest.mark.parametrize("name", CONVERGED)
@pytest.mark.slow
def test_gradients_to_points_and_weights_are_those_of_the_converged_objective(name: str, size: int) -> None:
    x, y = weighted(8, size), weighted(9, 2, seed=1, spread=1.5)
    cost = CONVERGED[name]

    def value(p: Tensor, v: Tensor, q: Tensor, w: Tensor) -> Tensor:
        return cost(Cloud(p, v), Cloud(q, w))

    inputs = (x.flat, x.weights, y.flat, y.weights)
    leaves = tuple(each.clone().requires_grad_() for each in inputs if each is not None)
    assert torch.autograd.gradcheck(value, leaves, eps=1e-5, atol=1e-5, rtol=1e-5, fast_mode=True)


@pytest.mark.parametrize("name", ["entropic", "exact"])
def test_potentials_are_slopes_of_the_linear_problem(name: str) -> None:
    x, y = weighted(8, 3), weighted(9, 2, seed=1, spread=1.5)
    cost = CONVERGED[name]
    solution = cost.solve(x, y)
    made = cost.problem(x, y)
    p, q = made.factors(made.moment(solution.plan))
    f, g = solution.potentials
    slack, plan = -(p @ q.T) - f[:, None] - g, solution.plan.dense()
    if name == "exact":
        assert slack.min() > -1e-9, "dual feasible"
        assert (slack * plan).sum().abs() < 1e-9, "complementary"
    else:
        truth = x.masses[:, None] * y.masses * (-slack / 3.0).exp()
        torch.testing.assert_close(truth, plan, rtol=0, atol=1e-8)


@pytest.mark.parametrize("size", [2, 3, 30])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("ground", GROUNDS)
def test_an_isometry_costs_nothing(ground: Any, size: int, seed: int) -> None:
    x = points(20, size, seed)
    solution = GW(ground=grounds.create(ground), solver="exact", starts=2).solve(x, turned(x))
    assert float(solution.value) == pytest.approx(0, abs=1e-9)
    torch.testing.assert_close(solution.plan.dense().amax(1), x.new_full((20,), 1 / 20))


@pytest.mark.parametrize(("ground", "degree"), [("sqeuclidean", 2), ("euclidean", 1)])
@given(first=st.floats(0.1, 10), second=st.floats(0.1, 10))
@few
def test_two_points_have_a_closed_form(first: float, second: float, ground: Any, degree: int) -> None:
    x, y = (torch.tensor([[0.0], [length]], dtype=torch.float64) for length in (first, second))
    truth = (first**degree - second**degree) ** 2 / 2
    found = GW(solver="exact", ground=grounds.create(ground))(x, y).item()
    assert found == pytest.approx(truth, abs=1e-8 * max(first, second) ** 4)


@pytest.mark.parametrize("solver", ["entropic", "exact"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_against_one_point_all_distances_are_lost(ground: Any, solver: Any) -> None:
    x, y = weighted(8, 3), points(1, 5)
    truth = (x.masses @ inner(x, ground).square() @ x.masses).item()
    for source, target in ((x, y), (y, x)):
        solution = GW(ground=grounds.create(ground), solver=solver).solve(source, target)
        assert float(solution.value) == pytest.approx(truth)
        assert solution.objective.item() == pytest.approx(truth)


EITHER = {"entropic": GW(epsilon=10.0, **TIGHT), "exact": GW(solver="exact")}


@pytest.mark.parametrize("name", EITHER)
@given(seed=seeds)
@few
@pytest.mark.slow
def test_it_is_symmetric_and_blind_to_isometries_and_order(name: str, seed: int) -> None:
    x, y, cost = points(8, 2, seed), points(7, 3, seed + 100), EITHER[name]
    value = cost(x, y)
    assert value > 0
    torch.testing.assert_close(cost(turned(x, seed), y), value, rtol=1e-6, atol=0)
    if name == "entropic":
        torch.testing.assert_close(cost(y, x), value, rtol=1e-6, atol=0)


@pytest.mark.parametrize("ground", GROUNDS)
@given(seed=seeds, factor=st.floats(1e-3, 1e3))
@few
@pytest.mark.slow
def test_it_is_homogeneous(ground: Any, seed: int, factor: float) -> None:
    x, y = points(8, 2, seed), points(7, 3, seed + 100)
    for cost in (GW(ground=grounds.create(ground)), GW(ground=grounds.create(ground), solver="exact")):
        degree = 2 * GROUNDS[ground]
        torch.testing.assert_close(cost(factor * x, factor * y), factor**degree * cost(x, y), rtol=1e-6, atol=0)


@given(seed=seeds)
@few
def test_equal_clouds_cost_nothing(seed: int) -> None:
    x = points(8, 3, seed)
    assert GW(solver="exact", starts=2)(x, x).item() == pytest.approx(0, abs=1e-9)
    assert GW(debias="same")(x, x[torch.randperm(8)]).item() == pytest.approx(0, abs=1e-2)


@given(seed=seeds)
@few
def test_the_spectral_bound_is_below(seed: int) -> None:
    x, y = weighted(8, 3, seed), weighted(7, 2, seed + 1)
    assert SpectralGW("sqeuclidean")(x, y) <= GW(solver="exact")(x, y) + 1e-9


@pytest.mark.parametrize("starts", [1, 3])
@pytest.mark.parametrize("size", [2, 3])
def test_the_independent_coupling_of_symmetric_clouds_is_left(size: int, starts: int) -> None:
    if size == 2:
        angles = torch.arange(12, dtype=torch.float64) * math.pi / 6
        x = torch.stack([angles.cos(), angles.sin()], dim=1)
    else:
        x = torch.nn.functional.normalize(points(20, 3), dim=1)
        x = torch.cat([x, -x])
    independent = 2 * (inner(Cloud(x)).square().mean() - inner(Cloud(x)).mean().square())
    for cost in (GW(starts=starts, epsilon=0.02), GW(starts=starts, solver="exact")):
        assert cost.solve(x, turned(x)).value < 0.5 * independent
