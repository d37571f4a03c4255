"""The Sinkhorn divergence: entropic transport, debiased."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from otae.errors import ConfigError
from otae.interfaces import Batch, DistancePower, Ground
from otae.reductions import Backend
from otae.transport import (
    Distances,
    GroundCosts,
    Limits,
    Measure,
    Optimum,
    Potentials,
    Schedule,
    Solution,
    SqEuclidean,
    Transport,
    Until,
    anneal,
    require_ground,
    solve_matrix,
    solve_with_gradients,
)
from otae.transport.envelope import Needs

from .batch import BatchSolver
from .divergence import Costs, Divergence, Solver, solve_divergence
from .samples_loss import solve_by_geomloss
from .units import bound_span, scale_optimum

_LARGEST = (
    2**18
)  # pairs of a problem up to which a batch is solved together: beyond, one alone keeps the processor busy

Positive = Annotated[float, Field(gt=0)]

_BACKENDS: dict[str, tuple[Solver, Backend]] = {
    "auto": (anneal, "auto"),
    "dense": (anneal, "dense"),
    "keops": (anneal, "keops"),
    "geomloss": (solve_by_geomloss, "auto"),
}


class Sinkhorn(Transport):
    r"""Creates the Sinkhorn divergence: the Wasserstein cost, smoothed by entropy, without the bias this brings.

    $$S(x, y) = \mathrm{OT}(x, y) - \tfrac12 \mathrm{OT}(x, x) - \tfrac12 \mathrm{OT}(y, y), \quad
    \mathrm{OT}(x, y) = \min_{P} \sum_{ij} P_{ij}\, c(x_i, y_j) + \varepsilon\, \mathrm{KL}(P \,|\, a \otimes b)$$

    with $\varepsilon = p \cdot \mathrm{blur}^p$, where the ground cost c is of the power p of a length, and P of marginals a
    and b. It is 0 between equal clouds, for powers up to 2 of the Euclidean distance never negative, and tends to the
    transport cost as the blur goes to 0. Differences of clouds smaller than the blur are seen as by a
    kernel discrepancy, which is why mini-batches of one law are closer than under `Exact`.

    With a `reach`, mass may be lost: the marginals are free at a price of $\rho = p \cdot \mathrm{reach}^p$ times their KL
    divergence from a and b, so that points farther than the reach have little say.

    The potentials are found by overrelaxed Sinkhorn iterations, from high temperatures down to ε, until the marginals
    are off by no more than the tolerance: values are then right to some 1e-4, gradients to a few percent, better than
    mini-batches know them. By the envelope theorem, gradients run to points and weights at the cost of one more sum.
    Up to two thousand points a side the kernel is held; beyond, memory is O((N+M) D), and iterations start from sparser
    clouds. Under powers of the Euclidean distance, all clouds are centred first, and for squares each on its own: how far
    apart they are costs no precision.

    Args:
        ground: The ground cost c; squared distances by default.
        blur: The length below which points are not told apart, in units of the points: about a tenth of the typical
            distance between two points is sharp, and a quarter of it fast and steady.
        scaling: The ratio of one blur to the one before on the way down.
        reach: The length beyond which mass is rather lost than moved; `None` holds the marginals.
        debias: Whether to take off the transports of the clouds with themselves.
        tolerance: By how much the marginals may be off, as a share of the mass; five times that is how far the value may
            be, as a share of itself.
        max_iterations: The number of iterations to stop at; small problems that are not solved by then are finished by the
            network simplex and Newton's method.
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

    former: ClassVar[Mapping[str, str]] = {"p": "ground: {name: euclidean, power: VALUE}"}

    def __init__(
        self,
        ground: Ground = SqEuclidean(),
        blur: Positive = 0.05,
        scaling: Annotated[float, Field(gt=0, lt=1)] = 0.5,
        reach: Positive | None = None,
        debias: bool = True,
        tolerance: Positive = 0.02,
        max_iterations: Annotated[int, Field(gt=0, le=1000000000)] = 100,
        backend: Literal["auto", "dense", "keops", "geomloss"] = "auto",
    ) -> None:
        super().__init__()
        self.ground, self.debias, self.backend = require_ground(ground), debias, backend
        _check(self.ground, debias, backend)
        self.schedule = Schedule(
            self.ground.degree, blur, scaling, math.inf if reach is None else reach, Until(tolerance, max_iterations)
        )

    def find(self, source: Measure, target: Measure, needs: Needs, start: tuple[Potentials, ...] | None) -> Optimum:
        """Returns the entropic plan between two measures, and the divergence as its objective.

        The value is what the plan costs; the potentials are those of the plan, without what debiasing takes off; the gap
        is that of the divergence.

        Args:
            source: The source, with shape (N, D).
            target: The target, with shape (M, D).
            needs: Whether gradients to the points of both sides and to their masses are asked for.
            start: The potentials of an earlier divergence.

        Raises:
            CloudError: If points are not finite.
        """
        dtype, power = source.points.dtype, self.ground.distance_power
        centres = self._centres(source, target)
        x, y, schedule = self._resolve(source.moved(-centres[0]), target.moved(-centres[1]))
        solver, sums = _BACKENDS[self.backend]
        limits = self.limits if solver is anneal else replace(self.limits, simplex=0)
        costs = self._costs(sums, limits)
        divergence = solve_divergence(x, y, schedule, self.debias, solver, costs, limits, _read(start, x.points))
        found = self._report(divergence, (centres[0] - centres[1]).to(x.points), needs, schedule, dtype)
        return found if power is None or power.factor == 1 else scale_optimum(found, power)

    @property
    def _apart(self) -> bool:
        """Returns whether the means of both sides cost what they cost, and the rest as much as without them."""
        power = self.ground.distance_power
        return power is not None and power.exponent == 2 and self.schedule.reach == math.inf

    def _centres(self, source: Measure, target: Measure) -> tuple[Tensor, Tensor]:
        """Returns the points that become the origin of either side."""
        if self.ground.distance_power is None:
            return 2 * (torch.zeros_like(source.points[0]),)
        centres = source.centre, target.centre
        return centres if self._apart else 2 * ((centres[0] + centres[1]) / 2,)

    def _costs(self, backend: Backend, limits: Limits) -> Costs:
        power = self.ground.distance_power
        if power is None:
            return lambda x, y: GroundCosts(self.ground, x, y, backend, limits)
        return lambda x, y: Distances(x, y, power.exponent, backend, limits)

    def _span(self, source: Measure, target: Measure) -> float:
        """Returns the size of the largest costs."""
        if self.ground.distance_power is None:
            return GroundCosts(self.ground, source.points, target.points, "dense", self.limits).span
        radii = [torch.linalg.vector_norm(side.points, dim=1).max() for side in (source, target)]
        return float(torch.stack(radii).sum().item() ** self.ground.degree)

    def compare_batch(self, source: Batch, target: Batch) -> Tensor:
        """Returns the divergences of a batch of pairs of clouds, with shape (B,), solved together where they can be.

        Args:
            source: The source clouds, with shape (B, N, D).
            target: The target clouds, with shape (B, M, D).
        """
        power, dtype = self.ground.distance_power, source.points.dtype
        pairs = source.points.shape[1] * target.points.shape[1]
        if power is None or self.backend in ("keops", "geomloss") or pairs > _LARGEST:
            return super().compare_batch(source, target)
        span = bound_span(source, target, self._apart) ** power.exponent
        solved = source, target
        if self.schedule.last > span or self.schedule.blur < self.schedule.least(span, dtype):
            solved = source.to(torch.float64), target.to(torch.float64)
            if self.schedule.blur < self.schedule.least(span, torch.float64) or not math.isfinite(span):
                return super().compare_batch(source, target)
        solver, found = BatchSolver(self.schedule, self.debias), []

        def solve(inputs: tuple[Tensor, ...], needs: Needs) -> tuple[Tensor, Sequence[Tensor | None]]:
            with torch.no_grad():
                value, gradients, close = solver.solve(inputs, needs)
            found.append(close)
            return value, gradients

        inputs = (*(side.points for side in solved), *(side.masses for side in solved))
        values = solve_with_gradients(solve, inputs).to(dtype) * power.factor
        self.solves += int(found[0].sum())
        if bool(found[0].all()):
            return values
        rest = (~found[0]).nonzero()[:, 0]  # slow to converge: Newton's method and the simplex finish them, one by one
        return values.index_put((rest,), super().compare_batch(source.select(rest), target.select(rest)))

    def solve_matrix(self, costs: Tensor, a: Tensor | None = None, b: Tensor | None = None) -> Solution:
        """Returns the entropic plan for a matrix of costs, at the temperature p blurᵖ, without debiasing.

        Args:
            costs: The costs of all pairs, with shape (N, M), such as those of a ground cost of one's own.
            a: The weights of the source points, with shape (N,); uniform where `None`.
            b: The weights of the target points, with shape (M,); uniform where `None`.
        """
        return solve_matrix(costs, a, b, self.schedule.last, self.schedule.until, self.limits)

    def _resolve(self, source: Measure, target: Measure) -> tuple[Measure, Measure, Schedule]:
        """Returns the sides in a precision that resolves the blur, and the schedule, whose blur is raised if none does."""
        span = self._span(source.positive, target.positive)
        dtype = source.points.dtype
        blunt = self.schedule.last > span  # logarithms near 0 are then all that counts
        if (blunt or self.schedule.blur < self.schedule.least(span, dtype)) and math.isfinite(span):
            source, target, dtype = source.to(torch.float64), target.to(torch.float64), torch.float64
        return source, target, self.schedule.above(self.schedule.least(span, dtype))

    def _report(
        self, divergence: Divergence, shift: Tensor, needs: Needs, schedule: Schedule, dtype: torch.dtype
    ) -> Optimum:
        cross, square = divergence.cross, shift.square().sum()

        def details() -> tuple[Tensor, tuple[Tensor, Tensor]]:
            cost, rows, columns = cross.carry()
            (x, y), (p, q) = divergence.sides, (side.positive.points for side in divergence.sides)
            inner = 2 * torch.dot(shift, rows @ p - columns @ q)
            f, g = (schedule.last * divergence.potential(axis) + square / 2 for axis in (0, 1))
            value = cost + inner + rows.sum() * square
            return value.to(dtype), ((f + 2 * x.points @ shift).to(dtype), (g - 2 * y.points @ shift).to(dtype))

        return Optimum(
            objective=(divergence.value() + square).to(dtype),
            gradients=[None if each is None else each.to(dtype) for each in self._gradients(divergence, shift, needs)],
            details=details,
            plan=divergence.cross.plan(*divergence.sides),
            iterations=cross.potentials.iterations,
            converged=divergence.converged,
            asked=self.schedule.last,
            temperature=schedule.last,
            marginal_error=max(each.certificate.marginal_error for each in divergence.couplings),
            gap=divergence.gap,
            state=tuple(each.potentials for each in divergence.couplings),
        )

    def _gradients(self, divergence: Divergence, shift: Tensor, needs: Needs) -> list[Tensor | None]:
        apart = self._apart  # each side then is centred, by a mean that follows it
        gradients: list[Tensor | None] = []
        pulls: dict[int, Tensor] = {}
        for axis, side in enumerate(divergence.sides):
            if not needs[axis] and not (apart and needs[2 + axis]):
                gradients.append(None)
                continue
            slopes = divergence.by_points(axis)
            pulls[axis] = (2 - 4 * axis) * shift - slopes.sum(0)
            followed = torch.addcmul(slopes, side.masses[:, None], pulls[axis]) if apart else slopes
            gradients.append(followed if needs[axis] else None)
        for axis, side in enumerate(divergence.sides):
            by_mass = divergence.by_masses(axis) if needs[2 + axis] else None
            gradients.append(by_mass + side.points @ pulls[axis] if apart and by_mass is not None else by_mass)
        return gradients

    def extra_repr(self) -> str:
        return f"ground={self.ground}, blur={self.schedule.blur}, debias={self.debias}, backend={self.backend!r}"


def _check(ground: Ground, debias: bool, backend: str) -> None:
    if debias and not ground.symmetric:
        raise ConfigError(
            f"The ground cost {ground} is not symmetric, so that nothing can be debiased. Set debias: false."
        )
    if backend == "geomloss" and ground.distance_power not in (DistancePower(1.0), DistancePower(2.0)):
        raise ConfigError(
            f"GeomLoss knows the ground costs euclidean and sqeuclidean, not {ground}: choose another backend."
        )


def _read(start: tuple[Potentials, ...] | None, like: Tensor) -> tuple[Potentials, ...] | None:
    """Returns the potentials of an earlier solution in a type, their iterations forgotten."""
    return start and tuple(Potentials(each.phi.to(like), each.gamma.to(like)) for each in start)
