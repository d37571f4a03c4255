"""The Sinkhorn divergence with its gradient as others compute it: GeomLoss, POT, and plain dense torch."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

from otae.reductions import load_library
from otae_wasserstein import Sinkhorn

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]

TOLERANCE = 0.02  # of the marginals, ours and theirs
MOST = 10_000  # iterations
MULTISCALE = 3  # dimensions up to which GeomLoss has its multiscale backend


def contenders(blur: float, dim: int, keops: bool) -> dict[str, Loss]:
    """Returns all that compute the divergence at a blur, ours first.

    Args:
        blur: The blur, a length.
        dim: The dimension of the points.
        keops: Whether those of GeomLoss's backends that need KeOps take part.
    """
    backends = ["tensorized"] + ["online"] * keops + ["multiscale"] * (keops and dim <= MULTISCALE)
    theirs = {f"geomloss {backend}": geomloss(blur, backend) for backend in backends}
    return {"otae": Sinkhorn(blur=blur, tolerance=TOLERANCE), **theirs, "pot": Pot(blur), "torch": Plain(blur)}


def geomloss(blur: float, backend: str) -> Loss:
    """Returns the divergence by `SamplesLoss`, which halves it, with its own number of steps.

    Args:
        blur: The blur.
        backend: Its backend.
    """
    loss = load_library("geomloss").SamplesLoss("sinkhorn", blur=blur, backend=backend)
    return lambda x, y: 2 * loss(x, y)


class Debiased(ABC):
    """Creates the divergence from plans, with the gradient of the costs under these plans.

    Args:
        blur: The blur.
    """

    def __init__(self, blur: float) -> None:
        self.epsilon = 2 * blur**2

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the divergence."""
        return self.transport(x, y) - self.transport(x, x) / 2 - self.transport(y, y) / 2

    def transport(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the entropic cost of transport."""
        cost = x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.T
        with torch.no_grad():
            plan, entropy = self.solved(cost)
        return (plan * cost).sum() + self.epsilon * entropy

    @abstractmethod
    def solved(self, cost: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the plan of a matrix of costs, and its divergence from the independent one."""


class Plain(Debiased):
    """Creates the divergence as one would write it in plain torch: three held kernels, scaled in turn."""

    def solved(self, cost: Tensor) -> tuple[Tensor, Tensor]:
        a, b = (cost.new_full((count,), 1 / count) for count in cost.shape)
        kernel, v = torch.exp(-cost / self.epsilon), torch.ones_like(b)
        for iteration in range(MOST):
            u = 1 / (kernel @ (b * v))
            columns = kernel.T @ (a * u)
            if iteration % 10 == 0 and not (b * (columns * v - 1).abs()).sum() > TOLERANCE:
                break
            v = 1 / columns
        plan = (a * u)[:, None] * kernel * (b * v)
        return plan, a @ u.log() + b @ v.log() - (plan * cost).sum() / self.epsilon


class Pot(Debiased):
    """Creates the divergence from POT's plans, by NumPy in double precision, at marginals as close as ours."""

    def solved(self, cost: Tensor) -> tuple[Tensor, Tensor]:
        n, m = cost.shape
        even: list[Any] = [torch.full((count,), 1 / count, dtype=torch.float64).numpy() for count in (n, m)]
        limit = TOLERANCE / math.sqrt(m)  # of the 2-norm
        found = load_library("ot").sinkhorn(
            *even, cost.double().numpy(), self.epsilon, stopThr=limit, numItermax=MOST, warn=False
        )
        plan = torch.from_numpy(found).to(cost)
        return plan, torch.xlogy(plan, n * m * plan).sum()
