"""The Gromov-Monge gap: what a given coupling costs above the best one."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from otae.cloud import Cloud
from otae.interfaces import Plan, Solution
from otae.reductions import Backend, pair_weights

from .geometry import squared_euclidean
from .options import Count, Epsilon, Solver, Start, Starts, Tolerance
from .quadratic import Quadratic, squared_gw
from .solved import Solved


class GWGap(Solved):
    r"""Creates the Gromov-Monge gap of paired clouds: the Gromov-Wasserstein cost of their coupling, less the least one.

    $$\sum_{ik} \left( \|x_i - x_k\|^2 - \|y_i - y_k\|^2 \right)^2 w_i w_k - \mathrm{GW}_\varepsilon(x, y)$$

    A map of zero gap keeps distances as well as any map between the two laws can, however different the laws: unlike the
    distortion of `coupled-gw`, it does not ask for an isometry where there is none. The solver also starts from the given
    coupling, so that with `exact` the gap is never negative; with `entropic` the entropy of the best coupling, which the
    given one lacks, lowers its objective by ε KL at the most.

    Args:
        epsilon: The temperature ε, as in POT; 0.16 E‖x‖² E‖y‖² where `None`.
        solver: `entropic` or `exact`.
        tolerance: The share of mass, and of the coupling's moment, to solve to.
        max_iterations: The most linear transport problems to solve from each start.
        starts: The number of starts besides the given coupling.
        backend: `dense`, `keops` or `auto`: what sums over kernels that are too large to be held.

    References:
        Disentangled Representation Learning with the Gromov-Monge Gap (Uscidda et al., 2024)
        https://arxiv.org/abs/2407.07829

    Examples:
        >>> x = torch.tensor([[0.0], [1.0], [3.0]])
        >>> gap = GWGap(solver="exact")
        >>> abs(gap(x, 2 * x).item()) < 1e-3, gap(x, 2 * x[[1, 0, 2]]).item() > 1
        (True, True)
    """

    paired = True

    def __init__(
        self,
        epsilon: Epsilon = None,
        solver: Solver = "entropic",
        tolerance: Tolerance = 1e-4,
        max_iterations: Count = 100,
        starts: Starts = 1,
        backend: Backend = "auto",
    ) -> None:
        super().__init__(epsilon, solver, tolerance, max_iterations, starts, backend)

    def problem(self, source: Cloud, target: Cloud) -> Quadratic:
        """Returns the problem whose least objective is taken off.

        Args:
            source: A cloud, with shape (N, …).
            target: The cloud it is paired with, with shape (N, …).

        Raises:
            CloudError: If both clouds bear weights and these differ.
        """
        weights = pair_weights(source, target)
        return squared_gw(
            squared_euclidean(Cloud(source.flat, weights)), squared_euclidean(Cloud(target.flat, weights))
        )

    def answer(self, source: Cloud, target: Cloud, start: Start | None) -> Solution:
        """Returns the best coupling, and the gap as its objective.

        Args:
            source: A cloud, with shape (N, D).
            target: The cloud it is paired with, with shape (N, D).
            start: The earlier solution to start from, or `None`.
        """
        problem = self.problem(source, target)
        found = self.solving.solution(
            problem, self.limits, moments=[problem.moment(_pair_points(problem))], start=start
        )
        return replace(found, objective=self._evaluate(problem) - found.objective)

    def _evaluate(self, problem: Quadratic) -> Tensor:
        plan = _pair_points(problem)
        moment = problem.moment(plan)
        with torch.no_grad():
            p, q = problem.factors(moment)
        to_partner = -(p * q).sum(1)  # the linear cost of each pair: the slope of the value in its mass
        slopes = problem.envelope(plan, (to_partner, torch.zeros_like(to_partner)))
        return (problem.value(plan, moment) + slopes - slopes.detach()).to(problem.left.dtype)


def _pair_points(problem: Quadratic) -> Plan:
    """Returns the coupling of each point with its own partner."""
    masses = problem.source.masses.detach()

    def product(values: Tensor) -> Tensor:
        return masses[:, None] * values

    return Plan((len(masses), len(masses)), product, product, lambda: masses.diag(), masses)
