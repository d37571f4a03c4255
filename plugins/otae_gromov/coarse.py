"""A coarse quadratic transport problem between subsamples, whose solution is where the full one starts."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from otae.reductions import Dots, log_sum_exp

from .alternation import Stationary
from .geometry import Features, Geometry
from .quadratic import Quadratic

_POINTS = 2000  # of each cloud in the coarse problem


def subsample(problem: Quadratic) -> Quadratic:
    """Returns the problem between evenly spaced points of both clouds, in the same coordinates, cut from the graph.

    Args:
        problem: The problem.
    """
    source, left = _thin(problem.source, problem.left)
    target, right = _thin(problem.target, problem.right)
    constant = problem.constant.detach()
    return replace(
        problem, source=source, target=target, left=left, right=right, constant=constant, unit=problem.unit.detach()
    )


def extend(problem: Quadratic, coarse: Quadratic, found: Stationary, epsilon: float) -> Tensor:
    r"""Returns the potential on all points of the target that the solution of a coarse problem implies, with shape (M,).

    $$g(y) = -\varepsilon \log \sum_i a_i \exp\left( (f_i - c(x_i, y)) / \varepsilon \right)$$

    Args:
        problem: The problem.
        coarse: Its coarse problem.
        found: The solution of the coarse problem.
        epsilon: The temperature ε.
    """
    with torch.no_grad():
        p, _ = coarse.factors(found.moment)
        _, q = problem.factors(found.moment)
        offsets = found.potentials[0] / epsilon + coarse.source.masses.clamp_min(1e-20).log()
        rows = torch.cat([q, torch.ones_like(q[:, :1])], dim=1)
        columns = torch.cat([p / epsilon, offsets[:, None]], dim=1)
        return -epsilon * log_sum_exp(lambda scores: scores, Dots(rows, columns), "dense")


def _thin(cloud: Geometry, factor: Tensor) -> tuple[Geometry, Tensor]:
    kept = torch.arange(0, len(factor), max(1, len(factor) // _POINTS), device=factor.device)
    masses = cloud.masses.detach()[kept]
    return Features(cloud.coordinates[kept], masses / masses.sum()), factor.detach()[kept]
