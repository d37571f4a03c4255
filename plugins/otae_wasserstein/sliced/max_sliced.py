"""The max-sliced Wasserstein cost: transport on the line that tells the clouds apart best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeAlias

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from otae.cloud import Cloud
from otae.interfaces import Batch, Cost
from otae.transport import once

from ..points import centre_batch, pair_of_points
from .directions import random_directions
from .line import line_costs
from .projections import line_batch

Judge: TypeAlias = Callable[[Tensor], tuple[Tensor, Tensor]]  # directions to the costs on them, and the costs' slopes


class MaxSliced(Cost):
    r"""Creates the max-sliced Wasserstein cost: the largest cost on a line.

    $$\mathrm{MSW}_p^p(x, y) = \max_{\|\theta\| = 1} \mathrm{W}_p^p(\langle\theta, x\rangle, \langle\theta, y\rangle)$$

    The direction is found by gradient ascent on the sphere, from the difference of the means and from random directions
    at once; a step that does not climb is taken back and shortened. By the envelope theorem, the gradient is that of the
    cost on the best line, which holds still. For p = 2, a translation by t costs $\|t\|^2$, as it does under the full
    Wasserstein cost.

    The landscape has many maxima, so the value is a lower bound of the true one; more starts and steps raise it. Where two
    projected points coincide at the maximum, as they often do between small clouds that overlap, it has an edge there, and
    the gradient is one of several.

    Args:
        starts: The number of directions to start from.
        steps: The number of steps of each.
        p: The exponent of the distance; the cost is its p-th power.

    References:
        Max-Sliced Wasserstein Distance and Its Use for GANs (Deshpande et al., 2019)
        https://arxiv.org/abs/1904.05877

    Examples:
        >>> x = torch.randn(100, 3)
        >>> round(MaxSliced()(x, x + torch.tensor([3.0, 0.0, 4.0])).item(), 3)
        25.0
    """

    def __init__(
        self,
        starts: Annotated[int, Field(gt=0, le=1024)] = 8,
        steps: Annotated[int, Field(ge=0, le=10000)] = 30,
        p: Annotated[float, Field(ge=1)] = 2.0,
    ) -> None:
        super().__init__()
        self.starts, self.steps, self.p = starts, steps, p

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the cost on the best line found, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).
        """
        return self.compare_batch(*_batch_of_one(source, target))[0]

    def direction(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the unit vector of the best line found, with shape (D, 1).

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).
        """
        return self._search(*centre_batch(*_batch_of_one(source, target)))[0]

    def compare_batch(self, source: Batch, target: Batch) -> Tensor:
        """Returns the costs of a batch of pairs of clouds, each on the best line found, with shape (B,).

        All pairs start from the same random directions.

        Args:
            source: The source clouds, with shape (B, N, D).
            target: The target clouds, with shape (B, M, D).
        """
        source, target = centre_batch(source, target)
        directions = self._search(source, target)
        return once(_compare_on_lines(source, target, directions, self.p)[:, 0])

    def _search(self, source: Batch, target: Batch) -> Tensor:
        """Returns the unit vector of the best line found for each pair of clouds, with shape (B, D, 1)."""
        source, target = source.detach(), target.detach()
        if any(torch.is_inference(side.points) for side in (source, target)) or torch.is_inference_mode_enabled():
            with torch.inference_mode(False):
                return self._search(_copy_out_of_inference(source), _copy_out_of_inference(target))

        def judge(directions: Tensor) -> tuple[Tensor, Tensor]:
            def total(lines: Tensor) -> tuple[Tensor, Tensor]:
                costs = _compare_on_lines(source, target, lines, self.p)  # (B, S)
                return costs.sum(), costs

            slopes, (_, costs) = torch.func.grad_and_value(total, has_aux=True)(directions.detach())
            return costs.detach(), slopes

        apart = source.mean() - target.mean()  # (B, D)
        directions = random_directions(apart.shape[1], self.starts, apart).expand(len(apart), -1, -1)
        first = torch.where(apart.any(1, keepdim=True), F.normalize(apart, dim=1), directions[:, :, 0])
        with torch.no_grad():
            return _climb(torch.cat([first[:, :, None], directions[:, :, 1:]], 2), judge, self.steps, self.p)

    def extra_repr(self) -> str:
        return f"starts={self.starts}, steps={self.steps}, p={self.p}"


def _batch_of_one(source: Cloud, target: Cloud) -> tuple[Batch, Batch]:
    """Returns two clouds as a batch of one pair."""
    x, y = pair_of_points(source, target)
    weights = (None if cloud.weights is None else cloud.weights.to(x.dtype)[None] for cloud in (source, target))
    return Batch(x[None], next(weights)), Batch(y[None], next(weights))


def _copy_out_of_inference(batch: Batch) -> Batch:
    """Returns a copy of a batch that gradients can be recorded of, as they cannot of tensors from inference mode."""
    return Batch(batch.points.clone(), None if batch.weights is None else batch.weights.clone())


def _compare_on_lines(source: Batch, target: Batch, directions: Tensor, p: float) -> Tensor:
    """Returns the costs of each pair of clouds on lines of its own, with shapes (B, D, S) of directions and (B, S)."""
    lines = [line_batch(directions.mT @ side.points.mT, side) for side in (source, target)]
    return line_costs(lines[0], lines[1], p).reshape(len(directions), -1)


def _climb(directions: Tensor, judge: Judge, steps: int, p: float) -> Tensor:
    """Returns the best of some directions after steps of ascent, with shape (B, D, 1); none ever steps down."""
    costs, slopes = judge(directions)
    lengths = torch.ones_like(costs)
    for _ in range(steps):
        pace = lengths / (p * costs).clamp_min(torch.finfo(costs.dtype).tiny)  # of length 1 along the direction
        tried = F.normalize(directions + pace[:, None] * slopes, dim=1)
        tried_costs, tried_slopes = judge(tried)
        better = tried_costs > costs
        directions = torch.where(better[:, None], tried, directions)
        slopes = torch.where(better[:, None], tried_slopes, slopes)
        costs, lengths = torch.where(better, tried_costs, costs), torch.where(better, 2 * lengths, lengths / 4)
    best = costs.argmax(1)[:, None, None].expand(-1, directions.shape[1], 1)
    return directions.gather(2, best)
