"""The Gromov-Wasserstein cost of a coupling that is given: the distortion of all distances."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from otae.cloud import Cloud
from otae.interfaces import Batch, Cost, Ground
from otae.reductions import batch_pair_masses, pair_weights, precise, safe_power, safe_sqrt
from otae.transport import Euclidean, require_ground


class CoupledGW(Cost):
    r"""Creates the Gromov-Wasserstein cost of paired clouds: how far the pairing is from an isometry, up to one scale.

    $$\mathrm{GW}(x, y) = \sum_{i,j=1}^N w_i w_j \left| d\!\left(\tfrac{C}{s} x_i, \tfrac{C}{s} x_j\right)
    - d(y_i, y_j) \right|^p$$

    The sum runs over all pairs, the diagonal included, with $w_i = 1/N$ where the clouds have no weights; no transport
    problem is solved, since the decoder gives the coupling $(z, G(z))$. C is the free scale between the two spaces, and
    s the spread of the source: the mean over its dimensions of the (unbiased) standard deviation in the batch, through
    which gradients flow. C/s stretches the points, so that Euclidean distances grow by C/s and squared ones by C²/s².

    Memory is O(N² + ND). Gradients are finite everywhere, and 0 from pairs that coincide.

    Args:
        power: The exponent p of the distortion: 1 in GWAE, 2 for the classic Gromov-Wasserstein cost.
        ground: The distance d inside each space, a ground cost.
        scale: The factor C between the spaces, or where it starts: in units of the target per spread of the source.
        learn_scale: Whether C is trained, as the exponential of a parameter.
        normalize: Whether to divide the source by its spread; s = 1 otherwise.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2022)
        https://arxiv.org/abs/2209.07007

        Gromov-Wasserstein Distances and the Metric Approach to Object Matching (Mémoli, 2011)
        https://doi.org/10.1007/s10208-011-9093-5

    Examples:
        >>> square = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
        >>> turned = torch.stack([-square[:, 1], square[:, 0], torch.zeros(4)], dim=1)
        >>> CoupledGW(scale=1.0, learn_scale=False, normalize=False)(square, turned).item()
        0.0
    """

    paired = True
    same_space = False
    log_scale: Tensor

    def __init__(
        self,
        power: Annotated[float, Field(gt=0)] = 1.0,
        ground: Ground = Euclidean(),
        scale: Annotated[float, Field(gt=0)] = 2.5,
        learn_scale: bool = True,
        normalize: bool = True,
    ) -> None:
        super().__init__()
        self.power = power
        self.ground = require_ground(ground)
        self.normalize = normalize
        log_scale = torch.tensor(math.log(scale))
        if learn_scale:
            self.log_scale = nn.Parameter(log_scale)
        else:
            self.register_buffer("log_scale", log_scale)

    @property
    def scale(self) -> Tensor:
        """Returns the factor C between the spaces, a scalar."""
        return self.log_scale.exp()

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the mean distortion over all pairs, a scalar.

        Args:
            source: A cloud, with shape (N, …), such as codes.
            target: The cloud it is paired with, with shape (N, …), such as their decodings.

        Raises:
            CloudError: If the clouds differ in size, or in their weights.
        """
        pairs = Cloud(precise(source.flat), pair_weights(source, target))
        factor = self.scale / spread(pairs.points, pairs.masses) if self.normalize else self.scale
        gaps = self.ground.within(factor * pairs.points) - self.ground.within(target.flat)  # (N, N)
        distortions = safe_power(gaps.abs(), self.power)
        if pairs.weights is None:
            return distortions.mean()
        return (pairs.masses[:, None] * pairs.masses * distortions).sum()

    def compare_batch(self, source: Batch, target: Batch) -> Tensor:
        """Returns the mean distortions of a batch of pairs of clouds, with shape (B,).

        Args:
            source: The source clouds, with shape (B, N, D).
            target: The clouds they are paired with, with shape (B, N, D').

        Raises:
            CloudError: If the clouds differ in their weights.
        """
        if self.ground.distance_power is None:  # others may look at values
            return super().compare_batch(source, target)
        masses, within = batch_pair_masses(source, target), torch.vmap(self.ground.within)
        factor = self.scale / spread(source.points, masses)[:, None, None] if self.normalize else self.scale
        gaps = within(factor * source.points) - within(target.points)  # (B, N, N)
        distortions = safe_power(gaps.abs(), self.power)
        return (masses[:, None] @ distortions @ masses[:, :, None])[:, 0, 0]

    def extra_repr(self) -> str:
        return f"power={self.power}, ground={self.ground}, normalize={self.normalize}"


def spread(points: Tensor, masses: Tensor) -> Tensor:
    r"""Returns the mean over dimensions of the unbiased standard deviation, at least the rounding of the points.

    $$s = \frac{1}{D} \sum_d \sqrt{\frac{\sum_i w_i (x_{id} - \bar x_d)^2}{1 - \sum_i w_i^2}}$$

    Args:
        points: The points, with shape (…, N, D).
        masses: Their masses, with shape (…, N).
    """
    numbers, weights = torch.finfo(masses.dtype), masses[..., None]  # (…, N, 1)
    deviations = points - (weights * points).sum(-2, keepdim=True)
    degrees = (1 - masses.square().sum(-1, keepdim=True)).clamp_min(numbers.eps)  # (N-1)/N where uniform
    found = safe_sqrt((weights * deviations.square()).sum(-2) / degrees).mean(-1)
    least = numbers.eps * points.detach().abs().amax((-2, -1)) + numbers.tiny / numbers.eps
    return torch.maximum(found, least)
