"""The sums over pairs on a GPU: those of the processor, on both backends."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from naive import Largest, points
from torch import Tensor

from otae.reductions import Dots, Squares, backend, keops, kernel_product, log_sum_exp, safe_exp, safe_sqrt
from otae.reductions.backend import Crossover

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device"),
]


@pytest.fixture(params=["dense", "keops"])
def name(request: pytest.FixtureRequest) -> Any:
    """Returns a backend that can compute on the device."""
    if request.param == "keops" and (reason := keops.obstacle("cuda", torch.float64)):
        pytest.skip(reason)
    return request.param


def product(x: Tensor, y: Tensor, values: Tensor, backend: Any) -> Tensor:
    """Returns a product with a kernel of distances and inner products."""

    def kernel(squares: Any, dots: Any) -> Any:
        return safe_exp(-squares / 3.0) - safe_sqrt(squares) + 0.1 * dots

    return kernel_product(kernel, [Squares(x, y), Dots(x, y)], values, backend)


def soft_maximum(x: Tensor, y: Tensor, _: Tensor, backend: Any) -> Tensor:
    """Returns logarithms of sums of exponentials."""
    return log_sum_exp(lambda squares: -squares / 0.5, Squares(x, y), backend)


def outcome(function: Any, device: str, dtype: torch.dtype, backend: Any) -> list[Tensor]:
    """Returns a sum, its gradients, and the gradient of one of these, on the processor."""
    x, y, values = (points(n, 3, seed, dtype).to(device).requires_grad_() for seed, n in enumerate((40, 30, 30)))
    sums = function(x, y, values[:, :1], backend)
    first = torch.autograd.grad(sums.square().sum(), (x, y), create_graph=True)
    (second,) = torch.autograd.grad(first[0].square().sum(), x)
    return [each.detach().cpu() for each in (sums, *first, second)]


@pytest.mark.parametrize("function", [product, soft_maximum])
@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float64, 1e-10), (torch.float32, 1e-3)], ids=str)
def test_sums_and_gradients_are_those_of_the_processor(
    function: Any, dtype: torch.dtype, rounding: float, name: Any
) -> None:
    truth = outcome(function, "cpu", torch.float64, "dense")
    found = [each.double() for each in outcome(function, "cuda", dtype, name)]
    torch.testing.assert_close(found, truth, rtol=rounding, atol=rounding)


def test_memory_is_that_of_a_block(name: Any) -> None:
    x = points(40_000, 3, dtype=torch.float32).cuda()
    with Largest() as largest:
        kernel_product(lambda squares: safe_exp(-squares), Squares(x), x[:, :1].contiguous(), name)
    assert largest.entries <= 2**26


def test_the_faster_backend_is_chosen_and_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backend.CROSSOVERS, "cuda", Crossover(pairs=100, dimension=64))
    x = points(40, 3).cuda()
    if keops.obstacle("cuda", torch.float64):
        monkeypatch.setattr(backend, "_given_up", set())
        with pytest.warns(RuntimeWarning, match="stay with the backend 'dense' here"):
            found = soft_maximum(x, x, x, "auto")
    else:
        found = soft_maximum(x, x, x, "auto")
    assert found.device.type == "cuda"
    torch.testing.assert_close(found, soft_maximum(x, x, x, "dense"))
