"""The Cramér-Wold distance."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor

from otae.cloud import Cloud
from otae.interfaces import Batch, Cost
from otae.reductions import Backend, Radial

from .batches import compare_radially
from .discrepancy import discrepancy
from .estimators import Estimator, points_with_mass
from .kernels.lengths import Positive
from .kernels.profiles import Exponential
from .kernels.projected import Projected


class CramerWold(Cost):
    r"""Creates the squared Cramér-Wold distance: the smoothed L² distance of all one-dimensional projections, in closed form.

    $$d^2(x, y) = \mathbb{E}_\theta \int \left( \rho_\gamma * \theta_\# x - \rho_\gamma * \theta_\# y \right)^2 (t)\, dt$$

    with θ uniform on the sphere and $\rho_\gamma$ the normal density of variance γ. Nothing is sampled: this is
    the squared maximum mean discrepancy of the kernel

    $$k(x, y) = \frac{1}{2 \sqrt{\pi \gamma}}\, {}_1F_1\!\left(\tfrac12; \tfrac D2; -\frac{\|x - y\|^2}{4 \gamma}\right)$$

    which is computed to rounding in every dimension D; from D = 20 on it agrees within about 1 % with the approximation
    $(1 + \|x - y\|^2 / (2D - 3) \gamma)^{-1/2}$ of the paper. Memory is O((N+M) D).

    Args:
        gamma: The variance γ of the smoothing; `silverman` is Silverman's rule for a normal law,
            $\sigma^2 (4 / 3N)^{2/5}$, where N is the number of points, or with weights, or of two sizes, the harmonic
            mean of the clouds' effective numbers $1 / \sum_i a_i^2$, held fixed in gradients.
        variance: The variance σ² of the prior in each dimension, for that rule.
        estimator: The estimator of the means within a cloud: `biased` as in the paper, a squared distance; `unbiased`
            leaves out each point's pair with itself, so that clouds of one law have mean 0.
        backend: What sums over the pairs: `dense` torch in tiles, `keops`, or `auto` for the faster one.

    Raises:
        CloudError: If the unbiased estimator meets a cloud with fewer than two points.
        BackendError: If KeOps is asked for and cannot run here.

    References:
        Cramer-Wold AutoEncoder (Tabor et al., 2018)
        https://arxiv.org/abs/1805.09235

    Examples:
        >>> import torch
        >>> x, y = torch.zeros(1, 2), torch.tensor([[2.0, 0.0]])
        >>> round(CramerWold(gamma=1.0)(x, y).item(), 4)
        0.2003
    """

    vectorized = True

    def __init__(
        self,
        gamma: Positive | Literal["silverman"] = "silverman",
        variance: Positive = 1.0,
        estimator: Estimator = "biased",
        backend: Backend = "auto",
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.variance = variance
        self.estimator = estimator
        self.backend = backend

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        (x, a), (y, b) = (
            points_with_mass(cloud, side, self.estimator) for cloud, side in ((source, "source"), (target, "target"))
        )
        gamma = self._smoothing(a, b) if self.gamma == "silverman" else self.gamma
        rate, dim = 1 / (4 * gamma), x.shape[1]
        kernel: Radial = Exponential(rate) if dim == 1 else Projected(rate, dim, x.dtype)
        return discrepancy(kernel, (x, a), (y, b), self.estimator, self.backend) / (2 * (math.pi * gamma) ** 0.5)

    def compare_batch(self, source: Batch, target: Batch) -> Tensor:
        """Returns the distances of a batch of pairs of clouds, with shape (B,).

        Args:
            source: The source clouds, with shape (B, N, D).
            target: The target clouds, with shape (B, M, D).
        """
        x, a, b = source.points, source.masses, target.masses
        gamma = self._smoothing(a, b) if self.gamma == "silverman" else x.new_full((len(x),), self.gamma)
        rates, dim = 1 / (4 * gamma)[:, None, None], x.shape[2]
        kernel: Radial = Exponential(rates) if dim == 1 else Projected(rates, dim, x.dtype)
        return compare_radially(kernel, source, target, self.estimator) / (2 * (math.pi * gamma) ** 0.5)

    def _smoothing(self, a: Tensor, b: Tensor) -> Tensor:
        inverse = (a.square().sum(-1) + b.square().sum(-1)).detach() / 2
        return self.variance * (4 / 3 * inverse) ** 0.4

    def extra_repr(self) -> str:
        return f"gamma={self.gamma}, estimator={self.estimator}"
