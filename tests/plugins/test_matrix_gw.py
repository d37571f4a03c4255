"""The Gromov-Wasserstein cost of matrices on the laws of costs: a point is a row and a column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae_gromov import MatrixGW

FLOATS = [torch.float32, torch.float64]


def matrices(n: int = 6, m: int = 5) -> tuple[Tensor, Tensor]:
    """Returns the distances inside two generic clouds, with shapes (n, n) and (m, m)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        x, y = torch.randn(n, 3, dtype=torch.float64), torch.randn(m, 2, dtype=torch.float64)
    return torch.cdist(x, x), torch.cdist(y, y)


def masses(*values: float) -> Tensor:
    """Returns weights in double precision."""
    return torch.tensor(values, dtype=torch.float64)


A, B = masses(2, 1, 1.5, 3, 0.7, 1.1), masses(1, 1.3, 0.9, 1.7, 0.6)


def cost(c: Tensor, d: Tensor, a: Tensor | None = A, b: Tensor | None = B) -> Tensor:
    """Returns the cost of matrices with weights."""
    return MatrixGW()(Cloud(c, a), Cloud(d, b))


@pytest.mark.parametrize("unit", [1e-10, 1e-2, 1.0, 1e10])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_a_matrix_in_another_order_costs_nothing_in_any_unit(dtype: torch.dtype, unit: float) -> None:
    c, order = matrices()[0] * unit, torch.tensor([2, 5, 1, 0, 4, 3])
    solution = MatrixGW().solve(c.to(dtype), c[order][:, order].to(dtype))
    assert abs(solution.value.item()) <= (1e-6 if dtype == torch.float64 else 1e-5) * float(c.max()) ** 2
    assert solution.converged


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1e-10, 1e-6, 1e4, 1e10])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_units_scale_it_by_their_square(dtype: torch.dtype, unit: float) -> None:
    c, d = matrices()
    found = cost((unit * c).to(dtype), (unit * d).to(dtype)).item()
    assert found == pytest.approx(cost(c, d).item() * unit**2, rel=1e-3)


@pytest.mark.parametrize("pad", [0.0, -999.0, 1e5])
def test_points_without_weight_change_nothing(pad: float) -> None:
    c, d = (each.requires_grad_() for each in matrices())
    value = cost(c, d)
    wide = torch.nn.functional.pad(c, (0, 2, 0, 2), value=pad)
    other = cost(wide, d, torch.cat([A, masses(0, 0)]))
    torch.testing.assert_close(other, value)
    torch.testing.assert_close(torch.autograd.grad(other, (c, d)), torch.autograd.grad(value, (c, d)))


def test_padding_that_is_no_number_is_refused() -> None:
    c, d = matrices()
    with pytest.raises(CloudError, match="finite"):
        cost(torch.nn.functional.pad(c, (0, 1, 0, 1), value=torch.nan), d, torch.cat([A, masses(0)]))


@pytest.mark.slow
def test_a_point_split_in_two_of_half_its_weight_is_the_point() -> None:
    (c, d), split = matrices(), torch.tensor([0, 1, 1, 2, 3, 4, 5])
    torch.testing.assert_close(
        cost(c[split][:, split], d, A[split] * masses(1, 0.5, 0.5, 1, 1, 1, 1)), cost(c, d), rtol=1e-6, atol=1e-9
    )


@pytest.mark.slow
def test_the_order_of_points_does_not_matter() -> None:
    (c, d), order = matrices(), torch.tensor([3, 1, 5, 0, 4, 2])
    torch.testing.assert_close(cost(c[order][:, order], d, A[order]), cost(c, d), rtol=1e-6, atol=1e-9)


def test_a_point_with_all_the_weight_is_the_cloud() -> None:
    c, d = matrices()
    alone = cost(c[:1, :1], d[:1, :1], None, None)
    torch.testing.assert_close(cost(c, d, torch.eye(6).double()[0], torch.eye(5).double()[0]), alone)


@pytest.mark.slow
def test_learned_weights_are_finite_and_right_however_uneven() -> None:
    c, d = matrices()
    values = []
    for dtype in FLOATS:
        logits = torch.linspace(-20, 20, 6, dtype=dtype, requires_grad=True)
        value = cost(c.to(dtype), d.to(dtype), torch.softmax(logits, 0))
        assert torch.autograd.grad(value, logits)[0].isfinite().all()
        values.append(value.item())
    assert values[0] == pytest.approx(values[1], rel=1e-3, abs=1e-4)


@pytest.mark.slow
def test_the_slope_at_a_weight_of_0_is_one_sided() -> None:
    (c, d), weights = matrices(), masses(2, 1, 0, 3, 0.7, 1.1)
    leaf, step = weights.clone().requires_grad_(), masses(0, 0, 1e-6, 0, 0, 0)
    (slopes,) = torch.autograd.grad(cost(c, d, leaf), leaf)
    expected = (-3 * cost(c, d, weights) + 4 * cost(c, d, weights + step) - cost(c, d, weights + 2 * step)) / 2e-6
    torch.testing.assert_close(slopes[2], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_costs_what_it_does_in_single(dtype: torch.dtype) -> None:
    c, d = (each.to(dtype) for each in matrices())
    torch.testing.assert_close(cost(c, d).float(), cost(c.float(), d.float()), rtol=1e-2, atol=1e-3)
    assert cost(c.float(), d.double()).dtype == torch.float64


@pytest.mark.slow
@pytest.mark.parametrize(
    "mode",
    [torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu", torch.bfloat16)],
    ids=["no_grad", "inference_mode", "autocast"],
)
def test_it_is_the_same_in_all_of_torchs_modes(mode: Callable[[], Any]) -> None:
    c, d = matrices()
    with mode():
        found = cost(c * 1, d * 1)
    torch.testing.assert_close(found.clone(), cost(c, d))


@pytest.mark.slow
def test_torch_func_sees_through_it_once() -> None:
    c, d = matrices()
    leaf = c.clone().requires_grad_()
    (expected,) = torch.autograd.grad(cost(leaf, d), leaf, create_graph=True)
    torch.testing.assert_close(torch.func.grad(lambda each: cost(each, d))(c), expected.detach())
    with pytest.raises(NotImplementedError, match="no second derivatives"):
        torch.autograd.grad(expected.sum(), leaf)
    with pytest.raises(RuntimeError, match="batched"):
        torch.vmap(lambda each: MatrixGW()(each, d))(torch.stack([c, c]))


@pytest.mark.slow
def test_a_batch_is_a_loop() -> None:
    c, d = matrices()
    weights = torch.stack([A, A.flip(0)])
    found = MatrixGW().batched(torch.stack([c, 2 * c]), torch.stack([d, d]), weights)
    torch.testing.assert_close(found, torch.stack([cost(c, d, weights[0], None), cost(2 * c, d, weights[1], None)]))


@pytest.mark.slow
def test_plans_multiply_and_starts_help() -> None:
    c, d = matrices(20, 15)
    solution = MatrixGW().solve(c, d)
    plan, matrix, values = solution.plan, solution.plan.dense(), torch.arange(30.0).double().reshape(15, 2)
    torch.testing.assert_close((plan @ values, plan @ values[:, 0]), (matrix @ values, matrix @ values[:, 0]))
    torch.testing.assert_close(plan.marginals()[0], torch.full((20,), 1 / 20).double())
    again = MatrixGW().solve(c * 1.001, d, start=solution)
    assert 3 * again.iterations <= max(solution.iterations, 3)
    assert again.value.item() == pytest.approx(solution.value.item(), rel=1e-2)
    assert solution.gap >= 0
