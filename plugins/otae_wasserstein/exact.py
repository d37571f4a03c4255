"""The Wasserstein cost, exactly, by the network simplex of POT."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from otae.reductions import safe_power, squared_distances
from otae.transport import Measure, Optimum, Solution, Transport, solve_matrix, solve_simplex
from otae.transport.envelope import Needs


class Exact(Transport):
    r"""Creates the Wasserstein cost, exactly: the least mean cost of moving one cloud to the other.

    $$\mathrm{W}_p^p(x, y) = \min_{P \ge 0} \sum_{ij} P_{ij} \|x_i - y_j\|^p,
    \quad P 1 = a, \quad P^\top 1 = b$$

    POT's network simplex finds the plan on the processor, in double precision, in O((N+M)² log(N+M)) time or more and
    O(NM) memory: fit for some thousands of points. By the envelope theorem, the gradient runs to the points along the
    plan, which has at most N + M - 1 entries, and to the weights by the dual potentials, which `solve` centres such that
    both sides hold half the value. Where several plans are best, it is one of several.

    Of mini-batches, the cost is larger than that of their laws, also where these agree; `Sinkhorn` is less so.

    Args:
        p: The exponent of the distance; the cost is its p-th power.
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

    def __init__(
        self,
        p: Annotated[float, Field(ge=1)] = 2.0,
        max_iterations: Annotated[int, Field(gt=0, le=1000000000)] = 1_000_000,
    ) -> None:
        super().__init__()
        self.p, self.max_iterations = p, max_iterations

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
        centre = (source.centre + target.centre) / 2
        x, y = source.points - centre, target.points - centre
        flow = solve_simplex(self._costs(squared_distances(x, y)), source.masses, target.masses, self.max_iterations)
        gaps = x[flow.rows] - y[flow.columns]  # (K, D)
        costs = self._costs(gaps.square().sum(1))
        objective = torch.dot(flow.masses, costs)
        f, g = flow.potentials
        pulls = (flow.masses * self._slopes(costs))[:, None] * gaps if needs[0] or needs[1] else gaps
        gradients = [
            torch.zeros_like(x).index_add_(0, flow.rows, pulls) if needs[0] else None,
            torch.zeros_like(y).index_add_(0, flow.columns, pulls, alpha=-1) if needs[1] else None,
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
        )

    def solve_matrix(self, costs: Tensor, a: Tensor | None = None, b: Tensor | None = None) -> Solution:
        """Returns the plan of least cost for a matrix of costs, differentiable in it.

        Args:
            costs: The costs of all pairs, with shape (N, M), such as those of a ground cost of one's own.
            a: The weights of the source points, with shape (N,); uniform where `None`.
            b: The weights of the target points, with shape (M,); uniform where `None`.
        """
        return solve_matrix(costs, a, b, pivots=self.max_iterations)

    def _costs(self, squares: Tensor) -> Tensor:
        return squares if self.p == 2 else safe_power(squares, self.p / 2)

    def _slopes(self, costs: Tensor) -> Tensor:
        """Returns the slopes of the costs by the distance, over the distance."""
        if self.p == 2:
            return torch.full_like(costs, 2.0)
        return self.p * costs / costs.pow(2 / self.p).clamp_min(torch.finfo(costs.dtype).tiny)

    def extra_repr(self) -> str:
        return f"p={self.p}"
