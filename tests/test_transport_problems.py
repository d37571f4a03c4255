"""Transport problems with their answers: each cost finds what the closed form says."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from otae.interfaces import Cost
from otae.testing import (
    TransportProblem,
    clouds_on_a_line,
    diracs,
    gaussian_clouds,
    isometric_clouds,
    translated_clouds,
    two_points,
    unbalanced_diracs,
)
from otae.transport import Euclidean, solve_matrix
from otae_gromov import GW, FusedGW, InnerProductGW, MatrixGW, SpectralGW
from otae_wasserstein import Exact, Gaussian, Sinkhorn, Sliced

SHARP: dict[str, Any] = {"tolerance": 1e-10, "max_iterations": 3000}
SOLVED: dict[str, tuple[Cost, TransportProblem]] = {
    "exact, translated": (Exact(), translated_clouds()),
    "exact of distances, translated": (Exact(ground=Euclidean()), translated_clouds(power=1.0)),
    "sinkhorn, translated": (Sinkhorn(blur=0.5), translated_clouds()),
    "gaussian, translated": (Gaussian(), translated_clouds()),
    "exact, linear map": (Exact(), gaussian_clouds()),
    "gaussian, linear map": (Gaussian(), gaussian_clouds()),
    "exact, line": (Exact(), clouds_on_a_line()),
    "sliced, line": (Sliced(), clouds_on_a_line()),
    "gw, isometric": (GW(solver="exact", starts=2), isometric_clouds()),
    "inner products, isometric": (InnerProductGW(solver="exact", starts=2), isometric_clouds()),
    "spectral, isometric": (SpectralGW(), isometric_clouds()),
    "exact, diracs": (Exact(), diracs()),
    "sinkhorn, diracs": (Sinkhorn(blur=0.1), diracs()),
    "sinkhorn without mass kept, diracs": (
        Sinkhorn(blur=0.5, reach=1.2, debias=False, **SHARP),
        unbalanced_diracs(price=2 * 1.2**2, epsilon=2 * 0.5**2),
    ),
    "sinkhorn, two points": (Sinkhorn(blur=0.5, debias=False, **SHARP), two_points(epsilon=0.5)),
}


@pytest.mark.parametrize("name", SOLVED)
def test_a_cost_finds_what_the_closed_form_says(name: str) -> None:
    cost, problem = SOLVED[name]
    torch.manual_seed(0)
    assert cost(problem.source, problem.target).item() == pytest.approx(problem.cost, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    "problem",
    [translated_clouds(), gaussian_clouds(), clouds_on_a_line(), diracs()],
    ids=["moved", "mapped", "line", "diracs"],
)
def test_the_plan_of_a_problem_is_that_of_the_simplex(problem: TransportProblem) -> None:
    assert problem.plan is not None
    costs = torch.cdist(problem.source.points, problem.target.points).square()
    solution = solve_matrix(costs, problem.source.weights, problem.target.weights)
    torch.testing.assert_close(solution.plan.dense(), problem.plan, rtol=0, atol=1e-9)


def test_the_plan_of_two_points_is_that_of_entropic_transport() -> None:
    problem = two_points(epsilon=0.5)
    solution = solve_matrix(torch.cdist(problem.source.points, problem.target.points).square(), epsilon=0.5)
    assert problem.plan is not None
    torch.testing.assert_close(solution.plan.dense(), problem.plan, rtol=0, atol=1e-6)


def test_half_of_a_fused_cost_of_a_translation_is_the_translation() -> None:
    problem = translated_clouds()
    found = FusedGW(alpha=0.5, solver="exact", starts=2)(problem.source, problem.target).item()
    assert found == pytest.approx(problem.cost / 2, rel=1e-6)


def test_matrices_of_isometric_clouds_cost_nothing_and_are_proved_best() -> None:
    problem = isometric_clouds()
    solution = MatrixGW().solve(*(torch.cdist(each.points, each.points) for each in (problem.source, problem.target)))
    assert solution.value.item() == pytest.approx(0, abs=1e-9)
    assert solution.gap == pytest.approx(0, abs=1e-9)
