"""The Sinkhorn divergence: entropic transport, debiased."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from otae.cloud import Cloud, CloudLike, as_cloud
from otae.interfaces import Cost, Solution
from otae.reductions import Backend

from .annealing import Schedule, solved
from .balance import Until
from .divergence import Divergence, Side, Solver
from .projections import masses, pair_of_points
from .samples_loss import solved_by_geomloss

Positive = Annotated[float, Field(gt=0)]

_BACKENDS: dict[str, tuple[Solver, Backend]] = {
    "auto": (solved, "auto"),
    "dense": (solved, "dense"),
    "keops": (solved, "keops"),
    "geomloss": (solved_by_geomloss, "auto"),
}


class Sinkhorn(Cost):
    r"""Creates the Sinkhorn divergence: the Wasserstein cost, smoothed by entropy, without the bias this brings.

    $$S(x, y) = \mathrm{OT}(x, y) - \tfrac12 \mathrm{OT}(x, x) - \tfrac12 \mathrm{OT}(y, y), \quad
    \mathrm{OT}(x, y) = \min_{P} \sum_{ij} P_{ij} \|x_i - y_j\|^p + \varepsilon\, \mathrm{KL}(P \,|\, a \otimes b)$$

    with $\varepsilon = p \cdot \mathrm{blur}^p$ and P of marginals a and b. It is 0 between equal clouds, never negative, and
    tends to the Wasserstein cost as the blur goes to 0. Differences of clouds smaller than the blur are seen as by a
    kernel discrepancy, which is why mini-batches of one law are closer than under `Exact`.

    With a `reach`, mass may be lost: the marginals are free at a price of $\rho = p \cdot \mathrm{reach}^p$ times their KL
    divergence from a and b, so that points farther than the reach have little say.

    The potentials are found by overrelaxed Sinkhorn iterations, from high temperatures down to ε, until the marginals
    are off by no more than the tolerance: values are then right to some 1e-4, gradients to a few percent, better than
    mini-batches know them. By the envelope theorem, gradients run to points and weights at the cost of one more sum.
    Up to two thousand points a side the kernel is held; beyond, memory is O((N+M) D), and iterations start from sparser
    clouds. All clouds are centred first, and for p = 2 each on its own: how far apart they are costs no precision.

    Args:
        p: The exponent of the distance; the cost is its p-th power.
        blur: The length below which points are not told apart, in units of the points: about a tenth of the typical
            distance between two points is sharp, and a quarter of it fast and steady.
        scaling: The ratio of one blur to the one before on the way down.
        reach: The length beyond which mass is rather lost than moved; `None` holds the marginals.
        debias: Whether to take off the transports of the clouds with themselves.
        tolerance: By how much the marginals may be off, as a share of the mass.
        max_iterations: The number of iterations to stop at.
        backend: `dense` for torch in blocks, `keops` for KeOps, `auto` for the faster one; or `geomloss` for the
            potentials that GeomLoss's `SamplesLoss` finds, whose accuracy `scaling` alone decides (0.9 is fine).

    References:
        Interpolating between Optimal Transport and MMD using Sinkhorn Divergences (Feydy et al., 2019)
        https://arxiv.org/abs/1810.08278

        Learning Generative Models with Sinkhorn Divergences (Genevay, Peyré, Cuturi, 2018)
        https://arxiv.org/abs/1706.00292

        Sinkhorn Divergences for Unbalanced Optimal Transport (Séjourné et al., 2019)
        https://arxiv.org/abs/1910.12958

    Examples:
        >>> x = torch.randn(50, 3)
        >>> round(Sinkhorn(blur=0.5)(x, x + torch.tensor([3.0, 0.0, 4.0])).item(), 2)
        25.0
    """

    def __init__(
        self,
        p: Literal[1, 2] = 2,
        blur: Positive = 0.05,
        scaling: Annotated[float, Field(gt=0, lt=1)] = 0.5,
        reach: Positive | None = None,
        debias: bool = True,
        tolerance: Positive = 0.02,
        max_iterations: Annotated[int, Field(gt=0)] = 100,
        backend: Literal["auto", "dense", "keops", "geomloss"] = "auto",
    ) -> None:
        super().__init__()
        self.p, self.debias, self.backend = p, debias, backend
        self.schedule = Schedule(
            p, blur, scaling, math.inf if reach is None else reach, Until(tolerance, max_iterations)
        )

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the divergence of the clouds, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If points are not finite.
        """
        divergence, shift = self._divergence(source, target)
        return divergence.value() + shift.square().sum()

    def solve(self, source: CloudLike, target: CloudLike) -> Solution:
        """Returns the entropic plan between the clouds, and the divergence as its objective.

        The value is what the plan costs; the potentials are those of the plan, without what debiasing takes off; it has
        converged if the marginals of all plans are off by no more than the tolerance.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If the clouds do not fit each other, or points are not finite.
        """
        first, second = as_cloud(source), as_cloud(target)
        self._check(first, second)
        divergence, shift = self._divergence(first, second)
        objective = divergence.value() + shift.square().sum()
        with torch.no_grad(), torch.autocast(shift.device.type, enabled=False):
            (x, y), cross = (side.points for side in divergence.sides), divergence.cross
            cost, rows, columns = cross.moved()
            inner = 2 * torch.dot(shift, rows @ cross.sides[0].points - columns @ cross.sides[1].points)
            square = shift.square().sum()
            f, g = (cross.schedule.last * divergence.potential(axis) + square / 2 for axis in (0, 1))
            return Solution(
                value=cost + inner + rows.sum() * square,
                objective=objective,
                plan=divergence.plan(),
                potentials=(f + 2 * x @ shift, g - 2 * y @ shift),
                iterations=cross.potentials.iterations,
                converged=divergence.converged,
            )

    def extra_repr(self) -> str:
        return f"p={self.p}, blur={self.schedule.blur}, debias={self.debias}, backend={self.backend!r}"

    def _divergence(self, source: Cloud, target: Cloud) -> tuple[Divergence, Tensor]:
        """Returns the divergence of centred clouds, and the shift between their centres, with shape (D,)."""
        x, y = pair_of_points(source, target)
        a, b = masses(source, x), masses(target, y)
        with torch.autocast(x.device.type, enabled=False):
            centres = (a @ x, b @ y)
            if self.p == 1 or self.schedule.reach < math.inf:  # no theorem takes their means apart
                centres = 2 * ((centres[0] + centres[1]).detach() / 2,)
            sides = (
                Side.of(x - centres[0], a, source.weights is not None),
                Side.of(y - centres[1], b, target.weights is not None),
            )
            solver, sums = _BACKENDS[self.backend]
            with torch.no_grad():
                found = Divergence.of(*sides, self.schedule, self.debias, solver, sums)
            return found, centres[0] - centres[1]
