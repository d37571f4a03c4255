"""Transport problems whose answers are known in closed form, for the tests of costs that solve them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..cloud import Cloud


@dataclass(frozen=True, eq=False)
class TransportProblem:
    """Holds two clouds and what it costs, at best, to move one to the other.

    Args:
        source: The source, with shape (N, D).
        target: The target, with shape (M, E).
        cost: The least cost, of the kind that the function that makes the problem tells.
        plan: A best plan, with shape (N, M), where it is known.
    """

    source: Cloud
    target: Cloud
    cost: float
    plan: Tensor | None = None


def translated_clouds(count: int = 8, size: int = 3, power: float = 2.0, seed: int = 0) -> TransportProblem:
    r"""Returns a cloud and its translation by v: the mean of $\|x - y\|^p$ is least, $\|v\|^p$, for p at least 1.

    Args:
        count: The number of points.
        size: The number of dimensions.
        power: The exponent p.
        seed: The seed of the points.

    Examples:
        >>> from otae.transport import solve_matrix
        >>> problem = translated_clouds()
        >>> costs = torch.cdist(problem.source.points, problem.target.points).square()
        >>> abs(solve_matrix(costs).value.item() - problem.cost) < 1e-9
        True
    """
    generator = torch.Generator().manual_seed(seed)
    x, shift = _normal(generator, count, size), _normal(generator, size)
    order = torch.randperm(count, generator=generator)
    plan = torch.zeros(count, count, dtype=torch.float64)
    plan[order, torch.arange(count)] = 1 / count
    return TransportProblem(Cloud(x), Cloud((x + shift)[order]), float(shift.norm() ** power), plan)


def gaussian_clouds(count: int = 32, size: int = 3, seed: int = 0) -> TransportProblem:
    r"""Returns a cloud and its image under the linear map of least squared cost between the normal laws of their moments.

    With means m and covariances Σ, both of the points themselves, the Wasserstein cost of the clouds is that of the laws:

    $$\|m_x - m_y\|^2 + \operatorname{tr}\left(\Sigma_x + \Sigma_y - 2 (\Sigma_x^{1/2} \Sigma_y \Sigma_x^{1/2})^{1/2}\right)$$

    Args:
        count: The number of points.
        size: The number of dimensions.
        seed: The seed of the points.

    References:
        On a Formula for the L² Wasserstein Metric between Measures on Euclidean and Hilbert Spaces (Gelbrich, 1990)
        https://doi.org/10.1002/mana.19901470121
    """
    generator = torch.Generator().manual_seed(seed)
    x, root, shift = _normal(generator, count, size), _normal(generator, size, size), _normal(generator, size)
    y = (
        x @ (root @ root.T / size + 0.1 * torch.eye(size, dtype=torch.float64)) + shift
    )  # the gradient of a convex function
    order = torch.randperm(count, generator=generator)
    plan = torch.zeros(count, count, dtype=torch.float64)
    plan[order, torch.arange(count)] = 1 / count
    return TransportProblem(Cloud(x), Cloud(y[order]), float((x - y).square().sum(1).mean()), plan)


def clouds_on_a_line(count: int = 8, power: float = 2.0, seed: int = 0) -> TransportProblem:
    r"""Returns clouds on a line with weights: the coupling in order is best for $|x - y|^p$, with p at least 1.

    Args:
        count: The number of points of the source; the target has one more.
        power: The exponent p.
        seed: The seed of the points and weights.
    """
    generator = torch.Generator().manual_seed(seed)
    x, y = (_normal(generator, each).sort().values for each in (count, count + 1))
    a, b = (torch.rand(each, generator=generator, dtype=torch.float64) + 0.1 for each in (count, count + 1))
    a, b = a / a.sum(), b / b.sum()
    ends = [torch.cat([each.new_zeros(1), each.cumsum(0)]) for each in (a, b)]
    low = torch.maximum(ends[0][:-1, None], ends[1][:-1])
    high = torch.minimum(ends[0][1:, None], ends[1][1:])
    plan = (high - low).clamp_min(0)  # the mass that lies in both intervals
    cost = float((plan * (x[:, None] - y).abs() ** power).sum())
    return TransportProblem(Cloud(x[:, None], a), Cloud(y[:, None], b), cost, plan)


def isometric_clouds(count: int = 10, size: int = 2, seed: int = 0) -> TransportProblem:
    """Returns a cloud and the same turned, reflected and moved into a space of one dimension more: all Gromov-Wasserstein
    costs of them are 0.

    Args:
        count: The number of points.
        size: The number of dimensions of the source.
        seed: The seed of the points.
    """
    generator = torch.Generator().manual_seed(seed)
    x = _normal(generator, count, size)
    frame = torch.linalg.qr(_normal(generator, size + 1, size)).Q
    order = torch.randperm(count, generator=generator)
    plan = torch.zeros(count, count, dtype=torch.float64)
    plan[order, torch.arange(count)] = 1 / count
    return TransportProblem(Cloud(x), Cloud((x @ frame.T + 3)[order]), 0.0, plan)


def diracs(distance: float = 1.5, size: int = 3, power: float = 2.0) -> TransportProblem:
    """Returns two single points at a distance, whose transport costs its power.

    Args:
        distance: The distance.
        size: The number of dimensions.
        power: The exponent of the cost.
    """
    x = torch.zeros(1, size, dtype=torch.float64)
    y = torch.full((1, size), distance / math.sqrt(size), dtype=torch.float64)
    return TransportProblem(Cloud(x), Cloud(y), distance**power, torch.ones(1, 1, dtype=torch.float64))


def unbalanced_diracs(
    distance: float = 1.5, price: float = 1.0, epsilon: float = 0.0, size: int = 3, power: float = 2.0
) -> TransportProblem:
    r"""Returns two single points between which mass may be lost, at a price ρ times the KL divergence of either marginal.

    $$\min_m\; m\, d^p + 2 \rho\, (m \log m - m + 1) + \varepsilon\, (m \log m - m + 1)
    = (2 \rho + \varepsilon) (1 - m^*), \quad m^* = e^{-d^p / (2 \rho + \varepsilon)}$$

    Args:
        distance: The distance d.
        price: The price ρ.
        epsilon: The temperature ε of entropic transport.
        size: The number of dimensions.
        power: The exponent p of the cost.

    References:
        Optimal Entropy-Transport Problems and a New Hellinger-Kantorovich Distance (Liero, Mielke, Savaré, 2018)
        https://doi.org/10.1007/s00222-017-0759-8
    """
    balanced, stiffness = diracs(distance, size, power), 2 * price + epsilon
    mass = math.exp(-(distance**power) / stiffness)
    return TransportProblem(
        balanced.source, balanced.target, stiffness * (1 - mass), torch.full((1, 1), mass, dtype=torch.float64)
    )


def two_points(distance: float = 1.0, epsilon: float = 0.5, power: float = 2.0) -> TransportProblem:
    r"""Returns two points and the same two, between which entropic transport at a temperature ε is a coin.

    $$\min_p\; (1 - p)\, d^p + \varepsilon \left(\log 2 - h(p)\right) = -\varepsilon \log \frac{1 + e^{-d^p / \varepsilon}}{2}$$

    for the entropy h of a coin, with the KL divergence from the product of the marginals.

    Args:
        distance: The distance d of the points.
        epsilon: The temperature ε.
        power: The exponent p of the cost.
    """
    x = torch.tensor([[0.0], [distance]], dtype=torch.float64)
    crossed = math.exp(-(distance**power) / epsilon)
    plan = torch.tensor([[1, crossed], [crossed, 1]], dtype=torch.float64) / (2 * (1 + crossed))
    return TransportProblem(Cloud(x), Cloud(x.clone()), -epsilon * math.log((1 + crossed) / 2), plan)


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)
