"""The dual values of a batch of entropic transport problems, and how far they may be below the optima."""

from __future__ import annotations

import torch
from torch import Tensor

from .batch_problem import BatchPotentials, BatchProblem, multiply


def total_dual(problem: BatchProblem, found: BatchPotentials, temperature: float, softness: float) -> Tensor:
    """Returns the values of the dual problems, with shape (B,), as that of a single coupling.

    Args:
        problem: The problems.
        found: Their potentials, for which columns are exact.
        temperature: The temperature ε.
        softness: The temperature over the price of mass, 0 where the marginals are held.
    """
    a, b, phi, gamma = problem.a, problem.b, found.phi, found.gamma
    if not softness:
        return temperature * ((a * phi).sum(1) + (b * gamma).sum(1))
    kept = (a * torch.expm1(-softness * phi)).sum(1) + (1 + softness) * (b * torch.expm1(-softness * gamma)).sum(1)
    return -temperature / softness * kept


def bound_gaps(problem: BatchProblem, found: BatchPotentials, temperature: float, softness: float) -> Tensor:
    """Returns a bound on how far dual values are below the optima, with shape (B,), as that of a single coupling.

    Args:
        problem: The problems.
        found: Their potentials, for which columns are exact.
        temperature: The temperature ε.
        softness: The temperature over the price of mass, 0 where the marginals are held.
    """
    problem = BatchProblem(problem.costs.double(), problem.a.double(), problem.b.double())
    found = BatchPotentials(found.phi.double(), found.gamma.double(), found.violation)
    kernel, a, b = problem.kernel(found.phi, found.gamma, temperature), problem.a, problem.b
    rows = multiply(kernel, b)
    if softness:
        columns = torch.bmm(a[:, None], kernel)[:, 0]
        return _bound_free(problem, found, temperature, softness, (a * rows, b * columns))
    scale = (1 / rows).clamp_max(1)
    columns = torch.bmm((a * scale)[:, None], kernel)[:, 0]
    missing_a, missing_b = a * (1 - scale * rows).clamp_min(0), b * (1 - columns).clamp_min(0)
    delta = missing_a.sum(1)
    entropy = (a * scale * rows * scale.log()).sum(1)
    least = torch.finfo(b.dtype).tiny
    u, v = (missing / missing.sum(1, keepdim=True).clamp_min(least) for missing in (missing_a, missing_b))
    f, g = temperature * found.phi, temperature * found.gamma
    moved = (u * multiply(problem.costs, v)).sum(1) - (u * f).sum(1) - (v * g).sum(1)
    divergences = sum(torch.xlogy(each, each / mass.clamp_min(least)).sum(1) for each, mass in ((u, a), (v, b)))
    coin = -torch.xlogy(delta, delta) - torch.xlogy(1 - delta, (1 - delta).clamp_min(least))
    return (delta * moved + temperature * (entropy + delta * divergences + coin)).clamp_min(0)


def _bound_free(
    problem: BatchProblem,
    found: BatchPotentials,
    temperature: float,
    softness: float,
    marginals: tuple[Tensor, Tensor],
) -> Tensor:
    """Returns the same where mass has a price: any plan will do, and its cost less the dual value is the gap."""
    rows, columns = marginals
    entropy = temperature * (1 - rows.sum(1))
    transported = temperature * ((rows * found.phi).sum(1) + (columns * found.gamma).sum(1)) + entropy
    least = torch.finfo(rows.dtype).tiny
    lost = sum(
        torch.xlogy(masses, masses / given.clamp_min(least)).sum(1) - masses.sum(1) + 1
        for masses, given in ((rows, problem.a), (columns, problem.b))
    )
    dual = total_dual(problem, found, temperature, softness)
    return (transported + temperature / softness * lost - dual).clamp_min(0)
