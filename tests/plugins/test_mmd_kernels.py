"""Radial kernels and their means over all pairs: slopes, tiles, gradients of both orders, memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from naive import Largest
from naive import points as draws
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from otae.cloud import Cloud
from otae.reductions import Radial, Squares, kernel_mean
from otae_mmd import IMQ, MMD, CramerWold, Energy, Gaussian, means
from otae_mmd.kernels.profiles import Exponential, InversePower, Inverses, Mixture, NegativeRoot, RootExponential
from otae_mmd.kernels.projected import Projected
from otae_mmd.means import radial_mean

KERNELS: dict[str, Radial] = {
    "gaussian": Exponential(0.3),
    "gaussian of a measured length": Exponential(torch.tensor(0.3, dtype=torch.float64)),
    "laplacian": RootExponential(0.4),
    "rational quadratic": InversePower(0.5, 1.7),
    "inverse multiquadratic": Inverses((0.2, 1.0, 5.0)),
    "energy": NegativeRoot(),
    "mixture": Mixture([NegativeRoot(), Exponential(0.5)], [2.0, 0.3]),
    "projected": Projected(0.3, 3, torch.float64),
}
every_kernel = pytest.mark.parametrize("kernel", [pytest.param(kernel, id=name) for name, kernel in KERNELS.items()])


@pytest.fixture(params=[6, 2**17], ids=["small tiles", "one tile"])
def _tiles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(means, "_tile", lambda device: request.param)


def masses(count: int, seed: int = 0) -> Tensor:
    return draws(count, 1, seed)[:, 0].softmax(0)


@every_kernel
def test_a_kernel_and_its_slope_are_one_function(kernel: Radial) -> None:
    squared = torch.logspace(-6, 3, 30, dtype=torch.float64).requires_grad_()
    values = kernel.of(squared)
    (slopes,) = torch.autograd.grad(values.sum(), squared)
    found = kernel.differentiate(squared.detach().clone())
    torch.testing.assert_close(found, (values.detach(), slopes))


@every_kernel
def test_a_kernel_falls_with_the_distance(kernel: Radial) -> None:
    values, slopes = kernel.differentiate(torch.logspace(-3, 3, 50, dtype=torch.float64))
    assert (values.diff() < 0).all()
    assert (slopes < 0).all()


@every_kernel
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_kernel_is_finite_at_zero_and_far_away(kernel: Radial, dtype: torch.dtype) -> None:
    squared = torch.tensor([0.0, 1e-30, 1e12, 1e30], dtype=dtype)
    values, slopes = kernel.differentiate(squared.clone())
    torch.testing.assert_close(values, kernel.of(squared), rtol=1e-5, atol=1e-30, check_dtype=False)
    torch.testing.assert_close(values[0], kernel.at_zero(squared), check_dtype=False)
    assert slopes.isfinite().all()


@pytest.mark.parametrize("kernel", [NegativeRoot(), RootExponential(0.4)], ids=str)
def test_a_cusp_has_no_slope(kernel: Radial) -> None:
    assert kernel.differentiate(torch.zeros(2))[1].tolist() == [0, 0]


@every_kernel
@pytest.mark.usefixtures("_tiles")
@pytest.mark.parametrize("size", [1, 3, 20])
def test_the_mean_and_its_gradient_are_those_of_the_matrix(kernel: Radial, size: int) -> None:
    x, y, a, b = draws(7, size), draws(5, size, seed=1) + 0.5, masses(7), masses(5, seed=1)
    for inputs, mean, whole in (
        ((x, y, a, b), lambda x, y, a, b: radial_mean(kernel, Squares(x, y), a, b), lambda x, y, a, b: (x, y, a, b)),
        ((x, a), lambda x, a: radial_mean(kernel, Squares(x), a, a), lambda x, a: (x, x, a, a)),
    ):
        leaves = [each.clone().requires_grad_() for each in inputs]
        rows, columns, left, right = whole(*leaves)
        matrix = kernel.of((rows[:, None] - columns[None]).square().sum(2))
        expected = left @ matrix @ right
        found = mean(*leaves)
        torch.testing.assert_close(found, expected)
        gradients = (torch.autograd.grad(value, leaves) for value in (found, expected))
        torch.testing.assert_close(*gradients)


@every_kernel
@pytest.mark.slow
def test_gradients_of_both_orders_are_right(kernel: Radial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(means, "_tile", lambda device: 6)
    x, y, a, b = (each.requires_grad_() for each in (draws(4, 3), draws(3, 3, seed=1), masses(4), masses(3, seed=1)))
    for function, inputs in (
        (lambda x, y, a, b: radial_mean(kernel, Squares(x, y), a, b), (x, y, a, b)),
        (lambda x, a: radial_mean(kernel, Squares(x), a, a), (x, a)),
        (lambda x: radial_mean(kernel, Squares(x, y.detach()), a.detach(), b.detach()), (x,)),
        (lambda b: radial_mean(kernel, Squares(x.detach(), y.detach()), a.detach(), b), (b,)),
    ):
        assert torch.autograd.gradcheck(function, inputs)
        assert torch.autograd.gradgradcheck(function, inputs, fast_mode=True)


@every_kernel
def test_the_mean_is_that_of_any_kernel(kernel: Radial) -> None:
    x, y, a, b = draws(6, 3), draws(4, 3, seed=1), masses(6), masses(4, seed=1)
    pairs = Squares(x, y)
    torch.testing.assert_close(radial_mean(kernel, pairs, a, b), kernel_mean(kernel.of, pairs, a, b, "dense"))


@pytest.mark.slow
def test_gradients_reach_points_and_weights_of_the_cost_and_have_gradients() -> None:
    x, y, logits = draws(4, 3).requires_grad_(), draws(5, 3, seed=1).requires_grad_(), draws(4, 1, seed=2)[:, 0]

    def cost(x: Tensor, y: Tensor, logits: Tensor) -> Tensor:
        value: Tensor = MMD()(Cloud(x, logits.softmax(0)), y)
        return value

    inputs = (x, y, logits.requires_grad_())
    assert torch.autograd.gradcheck(cost, inputs)
    assert torch.autograd.gradgradcheck(cost, inputs)


def test_nothing_is_computed_for_gradients_that_nobody_asks_for() -> None:
    x, y = draws(6, 3), draws(5, 3, seed=1)
    with torch.no_grad():
        assert not MMD()(x.requires_grad_(), y).requires_grad
    assert not MMD()(x.detach(), y).requires_grad
    (gradient,) = torch.autograd.grad(MMD()(x, y), x)
    assert gradient.shape == x.shape


def test_no_tensor_of_all_pairs_is_made() -> None:
    x, y = (draws(1500, 2, seed).float().requires_grad_() for seed in (0, 1))
    with Largest() as mode:
        MMD()(x, y).backward()
    assert mode.entries <= 2**17 * torch.get_num_threads()


def test_many_scales_take_one_matrix_product_a_mean() -> None:
    class Products(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            product = function in (torch.ops.aten.addmm.default, torch.ops.aten.mm.default)
            self.count += product and args[-1].shape == (64, 8)
            return function(*args, **(kwargs or {}))

    with Products() as mode:
        MMD(IMQ(scales=(0.1, 0.5, 1.0, 2.0, 10.0)))(draws(8, 64), draws(8, 64, seed=1))
    assert mode.count == 3


def test_pairs_too_far_apart_for_the_kernel_are_kept_from_underflow() -> None:
    x, y = draws(8, 300).float().requires_grad_(), draws(8, 300, seed=1).float()
    value = MMD(Gaussian(0.5), "biased")(x, y)
    (gradient,) = torch.autograd.grad(value, x)
    assert value.item() == pytest.approx(2 / 8), "each point is alone"
    assert gradient.abs().max() < 1e-30


@pytest.mark.keops
@pytest.mark.parametrize("cost", [MMD, CramerWold], ids=lambda cost: cost.__name__)
def test_keops_is_dense_to_rounding(cost: Any) -> None:
    x, y = draws(30, 3).requires_grad_(), draws(20, 3, seed=1)
    options = {MMD: {"kernel": Gaussian() + 0.5 * Energy()}, CramerWold: {"gamma": 0.4}}[cost]
    dense, keops = (cost(**options, backend=backend)(x, y) for backend in ("dense", "keops"))
    torch.testing.assert_close(keops, dense)
    torch.testing.assert_close(torch.autograd.grad(keops, x), torch.autograd.grad(dense, x))
