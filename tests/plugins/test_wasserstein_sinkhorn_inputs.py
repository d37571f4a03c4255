"""The Sinkhorn divergence of clouds of every kind: far apart, small, in half precision, not finite."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from otae.errors import CloudError
from otae.transport import Limits
from otae_wasserstein import Exact, Sinkhorn


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_clouds_far_apart_cost_no_precision() -> None:
    x, y = draws(50, 3).float(), draws(40, 3, seed=1).float()
    x, y = x - x.mean(0), y - y.mean(0)
    near, far = Sinkhorn(blur=0.5).solve(x, y), Sinkhorn(blur=0.5).solve(x, y + 1000)
    assert far.objective.item() == pytest.approx(near.objective.item() + 3e6, rel=1e-6)
    assert far.iterations == near.iterations
    torch.testing.assert_close(far.plan.dense(), near.plan.dense(), rtol=0.01, atol=1e-6)


def test_a_default_of_a_small_batch_is_close_to_exact() -> None:
    x, y = draws(64, 16), draws(64, 16, seed=1)
    assert Sinkhorn()(x, y).item() == pytest.approx(Exact()(x, y).item(), rel=1e-2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_raised(dtype: torch.dtype) -> None:
    x, y = draws(30, 3).to(dtype), draws(20, 3, seed=1).to(dtype)
    torch.testing.assert_close(Sinkhorn(blur=0.5)(x, y), Sinkhorn(blur=0.5)(x.float(), y.float()))


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("held", [2**22, 0])
def test_points_that_are_not_finite_are_refused(value: float, held: int) -> None:
    part = Sinkhorn()
    part.limits = Limits(held=max(held, 4))
    with pytest.raises(CloudError, match="not finite"):
        part(torch.full((3, 2), value), torch.zeros(2, 2))
