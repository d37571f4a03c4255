"""Descent of several couplings of two matrices of distances at once, by linear transport problems and exact line search."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from otae.reductions import load_library
from otae.transport.simplex import PIVOTS

_SAME = 1e-12  # the largest difference of plans, in units of the largest mass, that will go the same way
_NOTHING = 1e-12  # the share of the size of the cost below which nothing is left to gain


@dataclass(frozen=True, eq=False)
class Descended:
    """Holds the best of the couplings that several descents have reached.

    Args:
        plan: The coupling, with shape (N, M).
        cost: What it costs.
        iterations: How many linear problems its descent took.
        stationary: Whether it stands still.
    """

    plan: Tensor
    cost: float
    iterations: int
    stationary: bool


class Distortion:
    """Holds the quadratic problem of two matrices of distances between masses, for descents that share their products.

    Args:
        c: The distances of the source, with shape (N, N), symmetric.
        d: The distances of the target, with shape (M, M).
        a: The masses of the source, with shape (N,), positive.
        b: The masses of the target, with shape (M,).
    """

    def __init__(self, c: Tensor, d: Tensor, a: Tensor, b: Tensor) -> None:
        self.c, self.d, self.a, self.b = c, d, a, b
        self.size = float(a @ c.square() @ a + b @ d.square() @ b)
        self.even = len(a) == len(b) and bool((a == a[0]).all() & (b == b[0]).all())

    @property
    def floor(self) -> float:
        """Returns a lower bound of the cost of any coupling: by the triangle inequality, against that of one point."""
        of_c, of_d = (float(m @ matrix.square() @ m) ** 0.5 for matrix, m in ((self.c, self.a), (self.d, self.b)))
        return float((of_c - of_d) ** 2)

    def descend(self, plans: Tensor, tolerance: float, most: int) -> Descended:
        """Returns the best coupling that conditional gradients reach from some; those that meet go on as one.

        Args:
            plans: The couplings to start from, with shape (S, N, M).
            tolerance: The share by which the cost must still fall.
            most: The number of linear problems to solve from each.

        References:
            Gromov-Wasserstein Averaging of Kernel and Distance Matrices (Peyré, Cuturi, Solomon, 2016)
            https://proceedings.mlr.press/v48/peyre16.html

            Optimal Transport for structured data with application on graphs (Vayer et al., 2019)
            https://arxiv.org/abs/1805.09114
        """
        images = self._image(plans)
        costs = self.size - 2 * (images * plans).sum((1, 2))
        best = Descended(plans[0], float("inf"), 0, False)
        for iteration in range(1, most + 1):
            steps = torch.stack([self._least(image) for image in images]) - plans
            moved = self._image(steps)
            slopes, bends = -4 * (images * steps).sum((1, 2)), -2 * (moved * steps).sum((1, 2))
            inner = (-slopes / (2 * bends).clamp_min(torch.finfo(bends.dtype).tiny)).clamp(0, 1)
            lengths = torch.where(bends > 0, inner, (slopes + bends < 0).to(bends))
            falls = -(slopes + bends * lengths) * lengths
            plans, images = plans + lengths[:, None, None] * steps, images + lengths[:, None, None] * moved
            costs = costs - falls
            done = (falls <= tolerance * costs.abs()) | (costs <= _NOTHING * self.size)
            lead = int(costs.argmin())
            for index in done.nonzero()[:, 0].tolist():
                if float(costs[index]) < best.cost:
                    best = Descended(plans[index], float(costs[index]), iteration, True)
            if best.cost <= _NOTHING * self.size or bool(done.all()):
                return best
            if iteration == most and float(costs[lead]) < best.cost:
                return Descended(plans[lead], float(costs[lead]), iteration, False)
            going = self._apart(plans, (~done).nonzero()[:, 0])
            plans, images, costs = plans[going], images[going], costs[going]
        return best

    def _image(self, plans: Tensor) -> Tensor:
        return self.c @ plans @ self.d

    def _least(self, image: Tensor) -> Tensor:
        """Returns the coupling that is least in the direction of the slope, with shape (N, M)."""
        if self.even:
            rows, columns = linear_sum_assignment(image.cpu().numpy(), maximize=True)
            plan = torch.zeros_like(image)
            plan[torch.from_numpy(rows), torch.from_numpy(columns)] = self.a[0]
            return plan
        gains = image.cpu().numpy()
        costs = (gains.max() - gains) / ((gains.max() - gains.min()) or 1.0)  # POT's tolerances are absolute
        plan = load_library("ot").lp.emd(self.a.cpu().numpy(), self.b.cpu().numpy(), costs, PIVOTS)
        return torch.from_numpy(plan).to(image)

    def _apart(self, plans: Tensor, going: Tensor) -> Tensor:
        """Returns the indices of plans that differ from all before them."""
        kept: list[int] = []
        near = _SAME * float(self.a.max())
        for index in going.tolist():
            if all(float((plans[index] - plans[other]).abs().max()) > near for other in kept):
                kept.append(index)
        return torch.tensor(kept, device=going.device)
