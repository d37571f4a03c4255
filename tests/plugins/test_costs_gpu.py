"""The costs between clouds on a GPU: values and gradients of the processor, on clouds of unequal sizes and weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from naive import points as draws
from torch import Tensor

import otae
from otae import Cloud

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device"),
]

CERTAIN: list[tuple[str, dict[str, Any]]] = [
    *(("mmd", {"kernel": kernel}) for kernel in ("imq", "gaussian", "laplacian", "rational-quadratic", "energy")),
    ("mmd", {"kernel": {"gaussian": 1.0, "energy": 0.5}, "estimator": "biased", "backend": "dense"}),
    ("cramer-wold", {}),
    ("sinkhorn", {"blur": 0.5, "tolerance": 1e-9, "max_iterations": 2000}),
    ("sinkhorn", {"ground": "euclidean", "blur": 0.5, "reach": 1.0, "tolerance": 1e-9, "max_iterations": 2000}),
    ("exact", {}),
    ("exact", {"ground": "euclidean"}),
    ("gaussian", {}),
]
RANDOM: list[tuple[str, dict[str, Any]]] = [
    ("sliced", {}),
    ("sliced", {"orthogonal": True, "p": 1.5}),
    ("max-sliced", {}),
    ("generalized-sliced", {}),
    ("generalized-sliced", {"defining": "polynomial"}),
    ("random-features", {"seed": 0}),
    ("sliced-energy", {}),
]


def outcome(cost: Any, device: str, dtype: torch.dtype = torch.float64, size: int = 4) -> list[Tensor]:
    """Returns the value of a cost and its gradients to points and weights."""
    x, y = (points.to(device, dtype).requires_grad_() for points in (draws(20, size), draws(15, size, 1) + 0.5))
    a, b = (draws(n, 1, n)[:, 0].softmax(0).to(device, dtype).requires_grad_() for n in (20, 15))
    value = cost(Cloud(x, a), Cloud(y, b))
    return [value, *torch.autograd.grad(value, (x, a, y, b))]


@pytest.mark.parametrize(("name", "options"), CERTAIN, ids=str)
@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float64, 1e-6), (torch.float32, 1e-2)], ids=str)
def test_it_is_the_cost_of_the_processor(
    name: str, options: dict[str, Any], dtype: torch.dtype, rounding: float
) -> None:
    cost = otae.costs.create(name, **options)
    truth, found = outcome(cost, "cpu"), outcome(cost, "cuda", dtype)
    assert {each.device.type for each in found} == {"cuda"}
    torch.testing.assert_close(
        [each.detach().cpu().double() for each in found], truth, rtol=rounding, atol=rounding / 10
    )


@pytest.mark.parametrize(("name", "options"), RANDOM, ids=str)
def test_what_is_drawn_at_random_is_drawn_on_the_device(name: str, options: dict[str, Any]) -> None:
    cost = otae.costs.create(name, **options)
    found = outcome(cost, "cuda")
    assert all(each.device.type == "cuda" and each.isfinite().all() for each in found)
    x = draws(20, 4).cuda()
    near, far = cost(x, x.flip(0)), cost(x, x + 10)
    assert near.abs() < far / 10


def test_on_the_line_the_random_costs_are_those_of_the_processor() -> None:
    for name in ("sliced", "max-sliced", "sliced-energy"):
        cost = otae.costs.create(name)
        truth, found = (outcome(cost, device, size=1) for device in ("cpu", "cuda"))
        torch.testing.assert_close([each.cpu() for each in found], truth)


@pytest.mark.parametrize("name", ["exact", "sinkhorn"])
def test_a_plan_stays_on_the_device(name: str) -> None:
    x, y = draws(20, 4).cuda(), draws(15, 4, 1).cuda()
    solution = otae.costs.create(name).solve(x, y)
    parts = (solution.value, solution.objective, solution.plan @ y, solution.plan.dense(), *solution.potentials)
    assert {part.device.type for part in parts} == {"cuda"}


def test_a_critic_learns_on_the_device() -> None:
    critic = otae.costs.create("critic", shapes=((4,),)).cuda()
    critic.adversary_loss(Cloud(draws(20, 4).float().cuda()), Cloud(draws(15, 4, 1).float().cuda())).backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in critic.adversary.parameters())
