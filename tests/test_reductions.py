"""The sums over pairs: exact, differentiable twice, and small."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from naive import Largest, points
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.reductions import distances, pair_weights, precise, safe_power, safe_sqrt, squared_distances


def exact(x: Tensor, y: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x.double()[:, None] - y.double()[None], dim=2)


def off_diagonal(matrix: Tensor) -> Tensor:
    return matrix[~torch.eye(len(matrix), dtype=torch.bool)]


@pytest.mark.parametrize("size", [3, 64, 12288])
@pytest.mark.parametrize(
    ("spread", "offset"),
    [(1, 0), (1e-2, 0.5), (1e-3, 0.5), (1, 100), (1e-3, 100), (1e-6, 0), (1e-6, 1e-3), (1e6, 0), (1e6, 1e7)],
)
def test_single_precision_is_exact_for_every_spread_and_offset(size: int, spread: float, offset: float) -> None:
    x = (spread * points(24, size) + offset).float()
    found, truth = off_diagonal(distances(x).double()), off_diagonal(exact(x, x))
    assert ((found - truth) / truth).abs().max() <= 1e-5


@pytest.mark.parametrize(("spread", "offset"), [(1, 0), (1, 100), (1e-3, 100), (1e-6, 0), (1e6, 0)])
def test_two_clouds_in_single_precision_are_exact(spread: float, offset: float) -> None:
    x, y = ((spread * points(count, 64, seed=count) + offset).float() for count in (9, 13))
    truth = exact(x, y)
    assert ((distances(x, y).double() - truth) / truth).abs().max() <= 1e-5


@pytest.mark.parametrize("size", [1, 2, 5])
def test_distances_are_those_of_cdist(size: int) -> None:
    x, y = points(7, size), points(4, size, seed=1)
    torch.testing.assert_close(distances(x, y), torch.cdist(x, y))
    torch.testing.assert_close(distances(x), torch.cdist(x, x))
    torch.testing.assert_close(squared_distances(x, y), torch.cdist(x, y).square())


@given(st.integers(1, 12), st.integers(1, 6), st.integers(0, 99), st.floats(-50, 50), st.floats(0.1, 10))
def test_distances_follow_the_laws_of_a_metric(count: int, size: int, seed: int, shift: float, factor: float) -> None:
    x = points(count, size, seed)
    found = distances(x)
    assert (found >= 0).all()
    assert (found.diagonal() == 0).all()
    torch.testing.assert_close(found, found.T)
    torch.testing.assert_close(distances(x + shift), found)
    torch.testing.assert_close(distances(factor * x), factor * found)
    assert (found[:, :, None] <= found[:, None, :] + found[None, :, :] + 1e-9).all(), "the triangle inequality"


@pytest.mark.parametrize("function", [squared_distances, distances])
def test_gradients_of_both_orders_are_right_away_from_coincidence(function: Any) -> None:
    x, y = points(4, 3).requires_grad_(), points(5, 3, seed=1).requires_grad_()
    for inputs in ((x,), (x, y)):
        assert torch.autograd.gradcheck(function, inputs)
        assert torch.autograd.gradgradcheck(function, inputs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_coincident_points_are_at_distance_zero_with_gradients_of_zero(dtype: torch.dtype) -> None:
    x = points(1, 100, dtype=dtype).repeat(6, 1).requires_grad_()
    y = x.detach().clone().requires_grad_()
    total = distances(x).sum() + distances(x, y).sum()
    first = torch.autograd.grad(total, (x, y), create_graph=True)
    second = torch.autograd.grad(sum(gradient.sum() for gradient in first), (x, y))
    assert total == 0
    assert all((gradient == 0).all() for gradient in (*first, *second))


def test_a_duplicate_among_distinct_points_spoils_no_gradient() -> None:
    x = points(6, 5, dtype=torch.float32)
    x = torch.cat([x, x[:2]]).requires_grad_()
    distances(x).sum().backward()
    truth = x.detach().double().requires_grad_()
    torch.cdist(truth, truth).sum().backward()
    torch.testing.assert_close(x.grad.double(), truth.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_is_raised_to_single(dtype: torch.dtype) -> None:
    x = points(5, 8, dtype=dtype)
    assert distances(x).dtype == torch.float32
    torch.testing.assert_close(distances(x).double(), exact(x, x), rtol=1e-5, atol=1e-5)


def test_autocast_keeps_single_precision() -> None:
    x = (points(8, 64) + 100).float()
    with torch.autocast("cpu", torch.bfloat16):
        found = distances(x)
    torch.testing.assert_close(found, distances(x), rtol=0, atol=0)


def test_no_tensor_of_all_pairs_and_dimensions_is_made() -> None:
    x = points(40, 300).requires_grad_()
    with Largest() as mode:
        distances(x).sum().backward()
    assert mode.entries == 40 * 300


@pytest.mark.parametrize("power", [0.5, 1.0, 1.5, 2.0])
def test_powers_have_gradients_of_zero_at_zero(power: float) -> None:
    values = torch.tensor([0.0, 4.0], dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(safe_power(values, power).sum(), values, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), values, allow_unused=True)
    assert safe_power(values, power).tolist() == pytest.approx([0, 4**power])
    assert first.tolist() == pytest.approx([0, power * 4 ** (power - 1)])
    assert second.tolist() == pytest.approx([0, power * (power - 1) * 4 ** (power - 2)])


def test_the_safe_root_is_the_root() -> None:
    values = torch.tensor([0.0, 1e-300, 2.0, 1e300], dtype=torch.float64)
    torch.testing.assert_close(safe_sqrt(values), values.sqrt(), rtol=0, atol=0)


def test_precision_is_never_lowered() -> None:
    assert [precise(torch.ones(1, dtype=kind)).dtype for kind in (torch.bfloat16, torch.float32, torch.float64)] == [
        torch.float32,
        torch.float32,
        torch.float64,
    ]


def test_pairs_weigh_what_either_cloud_weighs() -> None:
    x, weights = torch.zeros(3, 1), torch.tensor([1.0, 2.0, 1.0])
    bare, weighted, twice = Cloud(x), Cloud(x, weights), Cloud(x, 2 * weights)
    assert pair_weights(bare, bare) is None
    assert pair_weights(weighted, bare) is weights
    assert pair_weights(bare, weighted) is weights
    assert pair_weights(weighted, twice) is weights, "masses are what counts"


def test_pairs_of_two_different_weights_are_refused() -> None:
    x = torch.zeros(2, 1)
    with pytest.raises(CloudError, match="give them to one only"):
        pair_weights(Cloud(x, torch.tensor([1.0, 2.0])), Cloud(x, torch.tensor([2.0, 1.0])))
