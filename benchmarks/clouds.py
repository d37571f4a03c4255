"""Pairs of clouds to match, and what a plan between them costs."""

from __future__ import annotations

import torch
from torch import Tensor


def clouds(count: int, sizes: tuple[int, int], kind: str, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Returns two clouds of largest squared distance 1, in double precision.

    Args:
        count: The number of points of each.
        sizes: Their numbers of dimensions.
        kind: `copy` for an isometric copy with noise, `other` for another law.
        seed: The seed.
    """
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    x = draw(count, sizes[0]) * torch.linspace(1.5, 0.5, sizes[0], dtype=torch.float64)
    x = x + 0.3 * (x.square() - 1)
    if kind == "copy":
        rotation = torch.linalg.qr(draw(sizes[1], sizes[1])).Q[: sizes[0]]
        y = (x @ rotation)[torch.randperm(count, generator=generator)] + 0.05 * draw(count, sizes[1])
    else:
        y = draw(count, sizes[1]) * torch.linspace(1.2, 0.4, sizes[1], dtype=torch.float64)
        y = y + 0.2 * (y.square() - 1)
    return x / torch.pdist(x).max(), y / torch.pdist(y).max()


def squared(points: Tensor) -> Tensor:
    """Returns all squared distances inside a cloud, with shape (N, N).

    Args:
        points: The points, with shape (N, D).
    """
    return torch.cdist(points, points).square()


def feasible_objective(c: Tensor, d: Tensor, plan: Tensor, epsilon: float) -> float:
    """Returns the objective, entropy included, of a plan between uniform masses.

    Args:
        c: The squared distances of the source, with shape (N, N).
        d: The squared distances of the target, with shape (M, M).
        plan: The plan, with shape (N, M).
        epsilon: The temperature.
    """
    plan = rounded(plan)
    value = c.square().mean() + d.square().mean() - 2 * ((c @ plan @ d) * plan).sum()
    return float(value) + epsilon * divergence(plan)


def rounded(plan: Tensor) -> Tensor:
    """Returns a plan between uniform masses near a given one: what an unfinished solver leaves over is spread out.

    Args:
        plan: The plan, with shape (N, M).
    """
    rows, columns = 1 / len(plan), 1 / plan.shape[1]
    plan = plan * (rows / plan.sum(1, keepdim=True)).clamp_max(1)
    plan = plan * (columns / plan.sum(0)).clamp_max(1)
    lacking = rows - plan.sum(1), columns - plan.sum(0)
    return plan + torch.outer(*lacking) / lacking[0].sum().clamp_min(1e-300)


def divergence(plan: Tensor) -> float:
    """Returns the Kullback-Leibler divergence of a plan from the independent coupling of uniform masses.

    Args:
        plan: The plan, with shape (N, M).
    """
    return float((plan * (plan * plan.numel()).clamp_min(1e-300).log()).sum())
