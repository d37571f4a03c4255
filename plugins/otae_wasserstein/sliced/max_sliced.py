"""The max-sliced Wasserstein cost: transport on the line that tells the clouds apart best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeAlias

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from otae.cloud import Cloud
from otae.interfaces import Cost
from otae.transport import cloud_masses, once

from ..points import centred
from .directions import random_directions
from .line import line_costs
from .projections import projected

Judge: TypeAlias = Callable[[Tensor], tuple[Tensor, Tensor]]  # directions to the costs on them, and the costs' slopes


class MaxSliced(Cost):
    r"""Creates the max-sliced Wasserstein cost: the largest cost on a line.

    $$\mathrm{MSW}_p^p(x, y) = \max_{\|\theta\| = 1} \mathrm{W}_p^p(\langle\theta, x\rangle, \langle\theta, y\rangle)$$

    The direction is found by gradient ascent on the sphere, from the difference of the means and from random directions
    at once; a step that does not climb is taken back and shortened. By the envelope theorem, the gradient is that of the
    cost on the best line, which holds still. For p = 2, a translation by t costs $\|t\|^2$, as it does under the full
    Wasserstein cost.

    The landscape has many maxima, so the value is a lower bound of the true one; more starts and steps raise it. Where two
    projected points coincide at the maximum, it has an edge there, and the gradient is one of several.

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
        direction = self.direction(source, target)
        x, y = centred(source, target)
        return once(line_costs(projected(x, direction, source), projected(y, direction, target), self.p)[0])

    def direction(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the unit vector of the best line found, with shape (D, 1).

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).
        """
        source, target = source.detach(), target.detach()
        x, y = centred(source, target)
        if torch.is_inference(x) or torch.is_inference(y) or torch.is_inference_mode_enabled():
            with torch.inference_mode(False):
                return self.direction(_recordable(source), _recordable(target))

        def judged(directions: Tensor) -> tuple[Tensor, Tensor]:
            def total(lines: Tensor) -> tuple[Tensor, Tensor]:
                costs = line_costs(projected(x, lines, source), projected(y, lines, target), self.p)  # (S,)
                return costs.sum(), costs

            slopes, (_, costs) = torch.func.grad_and_value(total, has_aux=True)(directions.detach())
            return costs.detach(), slopes

        apart = cloud_masses(source, x) @ x - cloud_masses(target, y) @ y
        directions = random_directions(x.shape[1], self.starts, x)
        directions[:, 0] = torch.where(apart.any(), F.normalize(apart, dim=0), directions[:, 0])
        with torch.no_grad():
            return _climbed(directions, judged, self.steps, self.p)

    def extra_repr(self) -> str:
        return f"starts={self.starts}, steps={self.steps}, p={self.p}"


def _recordable(cloud: Cloud) -> Cloud:
    """Returns a copy of a cloud that gradients can be recorded of, as they cannot of tensors from inference mode."""
    return Cloud(cloud.flat.clone(), None if cloud.weights is None else cloud.weights.clone())


def _climbed(directions: Tensor, judged: Judge, steps: int, p: float) -> Tensor:
    """Returns the best of some directions after steps of ascent, with shape (D, 1); none ever steps down."""
    costs, slopes = judged(directions)
    lengths = torch.ones_like(costs)
    for _ in range(steps):
        ascent = slopes / (p * costs).clamp_min(torch.finfo(costs.dtype).tiny)  # of length 1 along the direction
        tried = F.normalize(directions + lengths * ascent, dim=0)
        tried_costs, tried_slopes = judged(tried)
        better = tried_costs > costs
        directions, slopes = torch.where(better, tried, directions), torch.where(better, tried_slopes, slopes)
        costs, lengths = torch.where(better, tried_costs, costs), torch.where(better, 2 * lengths, lengths / 4)
    return directions[:, costs.argmax()][:, None]
