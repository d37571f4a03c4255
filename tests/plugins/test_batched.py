"""Batches of pairs of clouds: what a loop gives, with uneven weights and padding, values and gradients."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from naive import points as draws
from torch import Tensor

import otae
from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Cost
from otae.reductions import order_rows, sort_rows
from otae.transport import Euclidean, HalfSqEuclidean
from otae_gromov import CoupledGW, SlicedGW, SpectralGW
from otae_mmd import IMQ, MMD, CramerWold, Energy, RandomFeatures, SlicedEnergy
from otae_mmd import Gaussian as GaussianKernel
from otae_mmd.kernels.lengths import median_square
from otae_wasserstein import L1, Exact, Gaussian, GeneralizedSliced, MaxSliced, Paired, Sinkhorn, Sliced

LONG: dict[str, Any] = {"blur": 0.5, "tolerance": 1e-12, "max_iterations": 3000}
COSTS: dict[str, Cost] = {
    "paired": Paired(),
    "l1": Paired(L1()),
    "gaussian": Gaussian(),
    "sliced": Sliced(),
    "sliced-1": Sliced(p=1.0, orthogonal=True),
    "generalized-sliced": GeneralizedSliced(projections=8),
    "polynomial": GeneralizedSliced("polynomial", projections=8),
    "mmd": MMD(),
    "median": MMD(GaussianKernel()),
    "mixture": MMD(0.5 * GaussianKernel(2.0) + Energy(), "biased"),
    "cramer-wold": CramerWold(),
    "sliced-energy": SlicedEnergy(),
    "biased-sliced-energy": SlicedEnergy(estimator="biased"),
    "sinkhorn": Sinkhorn(**LONG),
    "sinkhorn-1": Sinkhorn(Euclidean(), **LONG),
    "half-sinkhorn": Sinkhorn(HalfSqEuclidean(), debias=False, **LONG),
    "unbalanced": Sinkhorn(reach=2.0, **LONG),
    "unbalanced-1": Sinkhorn(Euclidean(), reach=1.0, debias=False, **LONG),
    "exact": Exact(),
    "max-sliced": MaxSliced(starts=2, steps=10),
    "random-features": RandomFeatures(features=64),
    "random-mixture": RandomFeatures(GaussianKernel() + 0.5 * IMQ(), "biased", features=64),
    "coupled-gw": CoupledGW(power=2.0),
    "squared-coupled-gw": CoupledGW(ground=HalfSqEuclidean(), normalize=False),
    "sliced-gw": SlicedGW(projections=8),
    "spectral-gw": SpectralGW(),
    "squared-spectral-gw": SpectralGW("sqeuclidean"),
}
B, N, M, D = 4, 7, 6, 3


def batch(dtype: torch.dtype, dims: int = D) -> list[Tensor]:
    """Returns points and uneven weights of both sides; two clouds of either side are padded, one by points far away."""
    x, y = draws(B * N, dims).reshape(B, N, dims), draws(B * M, dims, seed=1).reshape(B, M, dims) + 0.5
    a, b = draws(B * N, 1, seed=2).reshape(B, N).exp(), draws(B * M, 1, seed=3).reshape(B, M).exp()
    a[1, 4:] = b[2, 5:] = a[3, :2] = 0
    x[1, 4:] = 1e3
    return [each.to(dtype) for each in (x, y, a, b)]


def loop(cost: Cost, inputs: list[Tensor]) -> Tensor:
    """Returns the costs one by one, each from the same random state, as the batch has one."""
    sides = len(inputs) // 2

    def each(index: int) -> Tensor:
        torch.manual_seed(0)
        weights = [side[index] for side in inputs[2:]] if sides == 2 else [None, None]
        return cost(Cloud(inputs[0][index], weights[0]), Cloud(inputs[1][index], weights[1]))

    return torch.stack([each(index) for index in range(B)])


@pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "padded"])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)], ids=["double", "single"]
)
@pytest.mark.parametrize("name", COSTS)
def test_a_batch_is_a_loop(name: str, dtype: torch.dtype, tolerance: float, weighted: bool) -> None:
    cost, inputs = COSTS[name], batch(dtype)
    if cost.paired:
        inputs = [inputs[0][:, :M], inputs[1], inputs[3], inputs[3]]
    inputs = inputs if weighted else inputs[:2]
    if dtype == torch.float32 and isinstance(cost, Sinkhorn):
        reach = cost.schedule.reach if math.isfinite(cost.schedule.reach) else None
        cost = Sinkhorn(cost.ground, 0.5, reach=reach, debias=cost.debias, tolerance=1e-6)  # finer it does not find
    torch.manual_seed(0)
    cost = copy.deepcopy(cost).to(dtype)
    found, truth = cost.batched(*inputs), loop(cost, inputs)
    assert found.shape == (B,)
    assert found.dtype == dtype
    torch.testing.assert_close(found, truth, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", [name for name in COSTS if name not in {"exact", "l1"}])
def test_the_gradients_of_a_batch_are_those_of_a_loop(name: str) -> None:
    cost, inputs = COSTS[name], batch(torch.float64)
    if cost.paired:
        inputs = [inputs[0][:, :M], inputs[1]]
    inputs[0][1, 4:] = 3.0
    found = []
    for compare in (cost.batched, lambda *leaves: loop(cost, list(leaves))):
        leaves = [each.clone().requires_grad_() for each in inputs]
        torch.manual_seed(0)
        values: Tensor = compare(*leaves)
        found.append(torch.autograd.grad((values * torch.arange(1.0, 5.0)).sum(), leaves))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("cost", [MMD(), MMD(Energy(), "biased"), CramerWold(1.0)], ids=str)
def test_batches_of_kernel_costs_have_second_derivatives(cost: Cost) -> None:
    x, y, a, _ = (each[:1, :3] for each in batch(torch.float64))
    inputs = [each.clone().requires_grad_() for each in (x, y, a)]
    assert torch.autograd.gradgradcheck(lambda x, y, a: cost.batched(x, y, a), inputs, fast_mode=True)


def test_a_batch_of_entropic_costs_refuses_second_derivatives() -> None:
    x, y, *_ = batch(torch.float64)
    (slope,) = torch.autograd.grad(Sinkhorn(blur=1.0).batched(x.requires_grad_(), y).sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="no second derivatives"):
        slope.sum().backward()


def test_what_does_not_converge_in_the_batch_is_solved_one_by_one() -> None:
    x, y = torch.randn(3, 12, 2, dtype=torch.float64), torch.randn(3, 10, 2, dtype=torch.float64)
    x[1, 0] = 40.0  # an outlier, which Sinkhorn's algorithm is slow to reach
    cost = Sinkhorn(blur=0.05)
    found = cost.batched(x, y)
    truth = torch.stack([Exact()(*pair) for pair in zip(x, y, strict=True)])
    assert found[1].item() == pytest.approx(truth[1].item(), rel=0.05)
    assert cost.solves == 3


def test_equal_clouds_of_a_batch_cost_nothing() -> None:
    x = 10 * draws(60, 3).reshape(3, 20, 3).float()
    assert Sinkhorn(blur=0.5).batched(x, x.flip(1)).abs().max() < 1e-3


def test_broken_coordinates_of_padding_change_nothing() -> None:
    x, y, a, b = batch(torch.float64)
    expected = [COSTS[name].batched(x, y, a, b) for name in ("sinkhorn", "mmd", "gaussian")]
    x[1, 4:], y[2, 5:] = torch.nan, torch.inf
    found = [COSTS[name].batched(x, y, a, b) for name in ("sinkhorn", "mmd", "gaussian")]
    torch.testing.assert_close(found, expected)


def test_the_median_of_large_padded_clouds_is_that_of_their_points() -> None:
    x, y = draws(300, 3), draws(20, 3, seed=1)
    padded = torch.cat([x, torch.full((40, 3), torch.nan).double()])
    torch.testing.assert_close(median_square(padded[None], y[None])[0, 0, 0], median_square(x, y))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_rows_are_sorted_as_torch_sorts_them(dtype: torch.dtype) -> None:
    values = torch.randn(4, 50, 9, dtype=dtype)
    values[0, :, 3] = values[0, :, 5] = -1.0
    values[1] *= 1e-30
    torch.testing.assert_close(sort_rows(values), values.sort(-1).values, rtol=0, atol=0)
    torch.testing.assert_close(values.gather(-1, order_rows(values)), values.sort(-1).values, rtol=0, atol=0)
    leaf = values.clone().requires_grad_()
    torch.testing.assert_close(sort_rows(leaf).detach(), values.sort(-1).values, rtol=0, atol=0)


REFUSED: list[tuple[Cost, tuple[Any, ...], str]] = [
    (Sliced(), (torch.zeros(2, 3, 2), torch.zeros(3, 3, 2)), "as many clouds"),
    (Sliced(), (torch.zeros(2, 3, 2), torch.zeros(2, 3, 4)), "one space"),
    (Paired(), (torch.zeros(2, 3, 2), torch.zeros(2, 4, 2)), "of one size"),
    (Sliced(), (torch.zeros(3, 2), torch.zeros(3, 2)), r"shapes \(B, N, D\)"),
    (Sliced(), (torch.zeros(2, 3, 2), torch.zeros(2, 3, 2), torch.ones(2, 4)), r"have shape \(2, 3\), got \(2, 4\)"),
    (Sliced(), (torch.zeros(2, 3, 2), torch.zeros(2, 3, 2), torch.zeros(2, 3)), "not all zero"),
    (MMD(IMQ()), (torch.zeros(1, 2, 2), torch.zeros(1, 2, 2), torch.tensor([[1.0, 0.0]])), "a source has 1 point"),
    (MaxSliced(), (torch.zeros(2, 3, 2, dtype=torch.long), torch.zeros(2, 3, 2)), "floating-point"),
]


@pytest.mark.parametrize(("cost", "arguments", "fault"), REFUSED)
def test_what_is_no_batch_is_refused(cost: Cost, arguments: tuple[Any, ...], fault: str) -> None:
    with pytest.raises(CloudError, match=fault):
        cost.batched(*arguments)


def test_a_cost_of_one_cloud_has_no_pairs() -> None:
    with pytest.raises(CloudError, match="looks at one cloud alone"):
        otae.costs.create("entropy").batched(torch.zeros(2, 3, 2), torch.zeros(2, 3, 2))
