"""The Gromov-Wasserstein cost of two clouds that are not paired: the coupling is solved for."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from otae.cloud import Cloud, CloudLike
from otae.errors import CloudError
from otae.interfaces import Ground, Solution
from otae.reductions import Backend
from otae.transport import SqEuclidean, require_ground

from .geometry import Geometry, lift, squared_euclidean
from .options import Count, Epsilon, Solver, Start, Starts, Tolerance
from .quadratic import Quadratic, squared_gw
from .solved import Solved

_FEWEST = 4  # points of a cloud that is split in halves


class GW(Solved):
    r"""Creates the Gromov-Wasserstein cost: how far the best coupling of two clouds is from an isometry.

    $$\mathrm{GW}_\varepsilon(x, y) = \min_{P \in \Pi(a, b)} \sum_{ijkl} \left( d(x_i, x_k) - d(y_j, y_l) \right)^2
    P_{ij} P_{kl} + \varepsilon\, \mathrm{KL}(P \,|\, a \otimes b)$$

    for clouds of any two spaces, of any sizes and weights. The problem is lifted: about the clouds' means, it equals

    $$c + \min_A\; 8 \|A\|_F^2 + \mathrm{OT}_\varepsilon\!\left(-4 \|x_i\|^2 \|y_j\|^2 - 16\, x_i^\top A\, y_j\right)$$

    an alternation of linear transport problems in few dimensions: O(N² d) time and, where the kernel is summed over
    instead of held, O(Nd) memory. Gradients, to points and weights, are those of the envelope theorem: exact at the
    optimum, of the first order, at the price of four products with the plan.

    - `entropic` anneals the temperature down to ε, warm, and balances each plan by Sinkhorn's algorithm and Newton's method;
    - `exact` solves the linear problems by POT's network simplex, without entropy: for up to about a thousand points.

    **Mini-batches are biased.** Between two batches of 64 points of one law this cost is about as large as between
    batches of different laws, since points are few and couplings many. Same-batch debiasing does not change that;
    `halves` does, as do larger batches, a `memory` of the term, which adds recent samples, and costs without a coupling:
    `spectral-gw`, or `coupled-gw` where the coupling is given.

    Args:
        epsilon: The temperature ε, as in POT, in units of the square of the ground cost; 0.16 E‖x‖² E‖y‖², a hundredth of
            the linear cost's size, where `None`.
        ground: The distance d inside each space, a ground cost: squared Euclidean, or another of negative type, such as
            powers up to 2 of the Euclidean distance or `l1`, by its lift, which holds N² distances.
        components: The number of dimensions that the lift keeps for solving; all where `None`. What it leaves out is told by
            `truncation`; the value then is an upper bound.
        solver: `entropic` or `exact`.
        debias: `none`; `same` for GW(x, y) - GW(x, x)/2 - GW(y, y)/2, which is 0 for isometric clouds; or `halves`, the same
            with the two halves of each batch, whose expectation is 0 where the laws are isometric.
        tolerance: The share of mass, and of the coupling's moment, to solve to.
        max_iterations: The most linear transport problems to solve from each start.
        starts: The number of starts: near the independent coupling first, then from matched principal axes, then from
            these with random signs or turned at random. The best is kept.
        backend: `dense`, `keops` or `auto`: what sums over kernels that are too large to be held.

    References:
        Gromov-Wasserstein Distances and the Metric Approach to Object Matching (Mémoli, 2011)
        https://doi.org/10.1007/s10208-011-9093-5

        Entropic Gromov-Wasserstein Distances: Stability and Algorithms (Rioux, Goldfeld, Kato, 2024)
        https://arxiv.org/abs/2306.00182

        Gromov-Wasserstein at Scale, Beyond Squared Norms (Houry, Feydy, Vialard, 2026)
        https://arxiv.org/abs/2602.06658

        Unbalanced Minibatch Optimal Transport (Fatras et al., 2021), for the bias of mini-batches
        https://arxiv.org/abs/2103.03606

    Examples:
        >>> import torch
        >>> triangle = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
        >>> turned = torch.tensor([[7.0, 0.0, 0.0], [7.0, 3.0, 0.0], [7.0, 0.0, -4.0]])[[2, 0, 1]]
        >>> solution = GW(solver="exact").solve(triangle, turned)
        >>> abs(solution.value.item()) < 1e-2, solution.plan.dense().argmax(1).tolist()
        (True, [1, 2, 0])
    """

    def __init__(
        self,
        epsilon: Epsilon = None,
        ground: Ground = SqEuclidean(),
        components: Count | None = None,
        solver: Solver = "entropic",
        debias: Literal["none", "same", "halves"] = "none",
        tolerance: Tolerance = 1e-4,
        max_iterations: Count = 100,
        starts: Starts = 1,
        backend: Backend = "auto",
    ) -> None:
        super().__init__(epsilon, solver, tolerance, max_iterations, starts, backend)
        self.ground, self.components, self.debias = require_ground(ground), components, debias

    def solve(self, source: CloudLike, target: CloudLike, start: Solution | None = None) -> Solution:
        """Returns the best coupling of all points that was found, without debiasing.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).
            start: The solution of a similar problem, between as many points, to start from.
        """
        plain = copy(self)
        plain.debias = "none"
        return super(GW, plain).solve(source, target, start)

    def answer(self, source: Cloud, target: Cloud, start: Start | None) -> Solution:
        """Returns the solution whose objective is the cost, debiased where asked.

        Args:
            source: A cloud, with shape (N, D).
            target: A cloud, with shape (M, D).
            start: The earlier solution to start from, or `None`.
        """
        return _DEBIASED[self.debias](self, source, target, start)

    def problem(self, source: Cloud, target: Cloud) -> Quadratic:
        """Returns the problem of two clouds.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).
        """
        return squared_gw(self._geometry(source), self._geometry(target))

    def truncation(self, cloud: Cloud) -> float:
        """Returns the share of a cloud's variance that the kept dimensions of the Euclidean lift leave out.

        Args:
            cloud: A cloud, with shape (N, …).
        """
        with torch.autocast(cloud.points.device.type, enabled=False):
            return lift(cloud, self.ground, self.components).truncation

    def extra_repr(self) -> str:
        return f"ground={self.ground}, debias={self.debias!r}, {super().extra_repr()}"

    def _geometry(self, cloud: Cloud) -> Geometry:
        power = self.ground.distance_power
        if power is None or power.exponent != 2:
            return lift(cloud, self.ground, self.components)
        unit = power.factor**0.5
        return squared_euclidean(cloud if unit == 1 else Cloud(unit * cloud.points, cloud.weights))

    def _between(
        self, source: Geometry, target: Geometry, temperature: Tensor | None = None, start: Start | None = None
    ) -> Solution:
        return self.solving.solution(squared_gw(source, target), self.limits, temperature, start=start)


def _plain(cost: GW, source: Cloud, target: Cloud, start: Start | None) -> Solution:
    return cost._between(cost._geometry(source), cost._geometry(target), start=start)


def _same(cost: GW, source: Cloud, target: Cloud, start: Start | None) -> Solution:
    x, y = cost._geometry(source), cost._geometry(target)
    temperature = cost.solving.temperature(squared_gw(x, y))
    found = cost._between(x, y, temperature, start)
    own = [cost._between(each, each, temperature) for each in (x, y)]
    return _combine(found, found.objective - (own[0].objective + own[1].objective) / 2, *own)


def _halves(cost: GW, source: Cloud, target: Cloud, _: Start | None) -> Solution:
    (x, x_other), (y, y_other) = (map(cost._geometry, _halve(cloud)) for cloud in (source, target))
    temperature = cost.solving.temperature(squared_gw(x, y))
    pairs = ((x, y), (x_other, y_other), (x, x_other), (y, y_other))
    first, second, *within = [cost._between(*pair, temperature) for pair in pairs]
    objective = (first.objective + second.objective - within[0].objective - within[1].objective) / 2
    return _combine(first, objective, second, *within)


def _combine(first: Solution, objective: Tensor, *others: Solution) -> Solution:
    """Returns a solution with another objective, converged if all others are."""
    converged = first.converged and all(each.converged for each in others)
    gap = first.gap + sum(each.gap for each in others)
    return replace(first, objective=objective, converged=converged, gap=gap)


def _halve(cloud: Cloud) -> tuple[Cloud, Cloud]:
    if len(cloud) < _FEWEST:
        raise CloudError(
            f"debias='halves' splits each cloud in two, but one has {len(cloud)} points: give it {_FEWEST} at least, "
            "or choose debias='same'."
        )
    weights = (None, None) if cloud.weights is None else (cloud.weights[::2], cloud.weights[1::2])
    return Cloud(cloud.flat[::2], weights[0]), Cloud(cloud.flat[1::2], weights[1])


_DEBIASED: dict[str, Callable[[GW, Cloud, Cloud, Start | None], Solution]] = {
    "none": _plain,
    "same": _same,
    "halves": _halves,
}
