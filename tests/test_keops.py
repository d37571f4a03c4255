"""The sums over pairs by KeOps: equal to the dense ones, and differentiable twice.

Each formula takes seconds to compile: the tests share few.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from naive import points

from otae.reductions import Dots, Squares, kernel_product, log_sum_exp, safe_exp, safe_power, safe_sqrt

pytestmark = pytest.mark.keops


def inputs(dtype: torch.dtype, columns: int, rows: int = 4, others: int = 3) -> list[torch.Tensor]:
    """Returns two clouds for distances, two for products, values, and a trainable parameter."""
    sizes = [(rows, 2), (others, 2), (rows, 3), (others, 3), (others, columns)]
    sides = [points(*size, seed, dtype).requires_grad_() for seed, size in enumerate(sizes)]
    return [*sides, torch.nn.Parameter(torch.tensor(0.7, dtype=dtype))]


def everything(backend: Any) -> Callable[..., torch.Tensor]:
    """Returns a product with a kernel that has all there is: several pairs, exp, root, quotient, and a parameter."""

    def of(x: Any, y: Any, u: Any, w: Any, values: Any, width: Any) -> torch.Tensor:
        def kernel(s: Any, d: Any) -> Any:
            return safe_exp(-s / width) + 1 / (1 + s) - safe_sqrt(s) + 0.1 * d

        return kernel_product(kernel, [Squares(x, y), Dots(u, w)], values, backend)

    return of


def gaussian(backend: Any) -> Callable[..., torch.Tensor]:
    """Returns a product as a function of the first points."""
    y, values = points(3, 2, 1), points(3, 1, 2)
    return lambda x: kernel_product(lambda s: safe_exp(-s), Squares(x, y), values, backend)


def soft_maximum(backend: Any) -> Callable[..., torch.Tensor]:
    """Returns logarithms of sums as a function of the first points."""
    y = points(3, 2, 1)
    return lambda x: log_sum_exp(lambda s: -s, Squares(x, y), backend)


def gradients(function: Callable[..., torch.Tensor], given: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Returns the value of a function and the gradients of the sum of its squares."""
    value = function(*given)
    wanted = [each for each in given if each.requires_grad]
    return (value, *torch.autograd.grad(value.square().sum(), wanted))


@pytest.mark.parametrize(("rows", "others"), [(4, 3), (1, 3), (4, 1), (1, 1)])
def test_keops_is_the_dense_backend_to_rounding_in_double_precision(rows: int, others: int) -> None:
    given = inputs(torch.float64, 1, rows, others)
    found, truth = (gradients(everything(each), given) for each in ("keops", "dense"))
    torch.testing.assert_close(found, truth, rtol=1e-12, atol=1e-12)


def test_keops_is_the_dense_backend_to_rounding_in_single_precision() -> None:
    given = inputs(torch.float32, 3)
    for each in (*given[1:4], given[5]):
        each.requires_grad_(False)
    found, truth = (gradients(everything(each), given) for each in ("keops", "dense"))
    assert found[0].shape == (4, 3)
    torch.testing.assert_close(found, truth, rtol=2e-5, atol=2e-5)


def test_points_that_coincide_have_a_gradient_of_zero() -> None:
    given = inputs(torch.float64, 1)
    given[1] = given[0].detach()[:3].clone().requires_grad_()
    found, truth = (gradients(everything(each), given) for each in ("keops", "dense"))
    torch.testing.assert_close(found, truth, rtol=1e-12, atol=1e-12)


def test_all_gradients_of_keops_are_right() -> None:
    assert torch.autograd.gradcheck(everything("keops"), inputs(torch.float64, 1))


@pytest.mark.parametrize("function", [gaussian, soft_maximum])
def test_gradients_of_both_orders_are_right(function: Callable[..., Any]) -> None:
    x = points(4, 2).requires_grad_()
    assert torch.autograd.gradcheck(function("keops"), x)
    assert torch.autograd.gradgradcheck(function("keops"), x)
    torch.testing.assert_close(function("keops")(x), function("dense")(x))


def test_a_gradient_penalty_goes_through_keops() -> None:
    x = points(4, 2).requires_grad_()
    slopes = {}
    for backend in ("keops", "dense"):
        (slope,) = torch.autograd.grad(gaussian(backend)(x).sum(), x, create_graph=True)
        (slopes[backend],) = torch.autograd.grad((slope.norm(dim=1) - 1).square().sum(), x)
    torch.testing.assert_close(slopes["keops"], slopes["dense"])


def test_powers_are_of_full_precision_with_gradients_of_zero_at_zero() -> None:
    x, y = points(4, 2).requires_grad_(), points(3, 2)

    def powers(backend: Any) -> Callable[..., torch.Tensor]:
        return lambda x: kernel_product(lambda s: safe_power(s, 0.65), Squares(x, y), torch.ones(3, 1), backend)

    found, truth = (gradients(powers(each), [x]) for each in ("keops", "dense"))
    torch.testing.assert_close(found, truth, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_parameter_of_another_precision_is_converted(shape: tuple[int, ...]) -> None:
    given = inputs(torch.float64, 1)
    given[5] = torch.nn.Parameter(torch.full(shape, 0.5))
    (slope,) = torch.autograd.grad(everything("keops")(*given).sum(), given[5])
    assert slope.shape == shape
    assert slope.dtype == torch.float32


def test_sums_stay_precise_under_autocast_and_from_half_precision() -> None:
    given = [each.detach() for each in inputs(torch.float32, 3)]
    with torch.autocast("cpu", torch.bfloat16):
        found = everything("keops")(*given)
        halved = everything("keops")(*(each.bfloat16() for each in given))
    torch.testing.assert_close(found, everything("dense")(*given), rtol=2e-5, atol=2e-5)
    assert halved.dtype == torch.float32


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_function_may_sum_by_keops() -> None:
    x = points(4, 2)
    compiled = torch.compile(lambda x: 2 * gaussian("keops")(2 * x), backend="eager")
    torch.testing.assert_close(compiled(x), 2 * gaussian("dense")(2 * x))


def test_threads_may_sum_at_once() -> None:
    given, found = inputs(torch.float64, 1), []
    threads = [threading.Thread(target=lambda: found.append(everything("keops")(*given))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    torch.testing.assert_close(found, [everything("dense")(*given)] * 4)
