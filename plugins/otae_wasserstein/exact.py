"""The Wasserstein cost, exactly, by the network simplex of POT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.interfaces import Ground
from otae.transport import (
    Flow,
    Measure,
    Optimum,
    Solution,
    SqEuclidean,
    Transport,
    require_ground,
    solve_matrix,
    solve_simplex,
)
from otae.transport.envelope import Needs


class Exact(Transport):
    r"""Creates the Wasserstein cost, exactly: the least mean cost of moving one cloud to the other.

    $$\mathrm{W}(x, y) = \min_{P \ge 0} \sum_{ij} P_{ij}\, c(x_i, y_j),
    \quad P 1 = a, \quad P^\top 1 = b$$

    POT's network simplex finds the plan on the processor, in double precision, in O((N+M)² log(N+M)) time or more and
    O(NM) memory: fit for some thousands of points. By the envelope theorem, the gradient runs to the points along the
    plan, which has at most N + M - 1 entries, and to the weights by the dual potentials, which `solve` centres such that
    both sides hold half the value. Where several plans are best, it is one of several. Second derivatives in the points are
    right too, as the plan stays the same nearby; in the weights they are refused.

    Of mini-batches, the cost is larger than that of their laws, also where these agree; `Sinkhorn` is less so.

    Args:
        ground: The ground cost c, of any kind; squared distances by default.
        max_iterations: The number of pivots after which the simplex gives up, with a warning.

    References:
        Displacement Interpolation Using Lagrangian Mass Transport (Bonneel, van de Panne, Paris, Heidrich, 2011)
        https://doi.org/10.1145/2070781.2024192

        POT: Python Optimal Transport (Flamary et al., 2021)
        https://jmlr.org/papers/v22/20-451.html

    Examples:
        >>> x = torch.randn(10, 2)
        >>> round(Exact()(x, x.flip(0) + 3.0).item(), 4)
        18.0
    """

    follows = True
    former: ClassVar[Mapping[str, str]] = {"p": "ground: {name: euclidean, power: VALUE}"}

    def __init__(
        self,
        ground: Ground = SqEuclidean(),
        max_iterations: Annotated[int, Field(gt=0, le=1_000_000_000)] = 1_000_000,
    ) -> None:
        super().__init__()
        self.ground, self.max_iterations = require_ground(ground), max_iterations

    def find(self, source: Measure, target: Measure, needs: Needs, start: object) -> Optimum:
        """Returns the plan and its cost; the iterations are 0, since POT does not count them.

        Args:
            source: The source, with shape (N, D).
            target: The target, with shape (M, D).
            needs: Whether gradients to the points of both sides and to their masses are asked for.
            start: Nothing that the simplex could start from.

        Raises:
            CloudError: If points are not finite.
        """
        x, y = source.points, target.points
        if self.ground.distance_power is not None:
            centre = (source.centre + target.centre) / 2
            x, y = x - centre, y - centre
        flow = solve_simplex(self.ground(x, y), source.masses, target.masses, self.max_iterations)
        objective, pulls = self._follow(flow, x, y, needs)
        f, g = flow.potentials
        gradients = [
            *pulls,
            f if needs[2] else None,
            g if needs[3] else None,
        ]
        plan = flow.plan()
        errors = [
            (marginal - side.masses).abs().sum()
            for marginal, side in zip(plan.marginals(), (source, target), strict=True)
        ]
        return Optimum(
            objective=objective,
            gradients=gradients,
            plan=plan,
            details=lambda: (objective, flow.potentials),
            iterations=0,
            converged=flow.converged,
            marginal_error=float(torch.stack(errors).max()),
            gap=flow.gap,
            follow=lambda of_x, of_y: torch.dot(flow.masses, self.ground.pair(of_x[flow.rows], of_y[flow.columns])),
        )

    def solve_matrix(self, costs: Tensor, a: Tensor | None = None, b: Tensor | None = None) -> Solution:
        """Returns the plan of least cost for a matrix of costs, differentiable in it.

        Args:
            costs: The costs of all pairs, with shape (N, M), such as those of a ground cost of one's own.
            a: The weights of the source points, with shape (N,); uniform where `None`.
            b: The weights of the target points, with shape (M,); uniform where `None`.
        """
        return solve_matrix(costs, a, b, pivots=self.max_iterations)

    def _follow(self, flow: Flow, x: Tensor, y: Tensor, needs: Needs) -> tuple[Tensor, list[Tensor | None]]:
        """Returns what the plan costs, a scalar, and its gradients to the points of both sides where they are asked for."""
        leaves = [
            each.detach().requires_grad_(need) if need else each for each, need in zip((x, y), needs, strict=False)
        ]
        with torch.set_grad_enabled(needs[0] or needs[1]):
            costs = self.ground.pair(leaves[0][flow.rows], leaves[1][flow.columns])
            objective = torch.dot(flow.masses, costs)
        wanted = [leaf for leaf, need in zip(leaves, needs, strict=False) if need]
        found = iter(torch.autograd.grad(objective, wanted) if wanted else ())
        return objective.detach(), [next(found) if need else None for need in needs[:2]]

    def extra_repr(self) -> str:
        return f"ground={self.ground}"
