"""The maximum mean discrepancy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Cost
from otae.reductions import precise, squared_distances

from .estimators import ESTIMATORS, between
from .kernels import KERNELS, Lengths, Pairs

Positive = Annotated[float, Field(gt=0)]


class MMD(Cost):
    r"""Creates the squared maximum mean discrepancy of a kernel.

    $$\mathrm{MMD}^2(x, y) = \mathbb{E}\, k(x, x') + \mathbb{E}\, k(y, y') - 2\, \mathbb{E}\, k(x, y)$$

    Kernels: `imq` is the inverse multiquadratic kernel summed over scales, $\sum_s Cs / (Cs + \|x - y\|^2)$ with
    $C = 2 D \sigma^2$, whose slow decay reaches clouds far apart; `gaussian` is $\exp(-\|x - y\|^2 / 2h^2)$.

    Estimators: `unbiased` leaves out each point's pair with itself, so that clouds of one law have mean 0; single
    values may be negative. `biased` keeps these pairs: never negative, but positive by about k(0) / N per cloud where
    the laws agree. Points of mass 0 do not take part.

    Args:
        kernel: The kernel.
        estimator: The estimator of the means within a cloud.
        variance: The variance σ² of the prior in each dimension, the length of `imq`.
        scales: The scales s of `imq`.
        bandwidth: The length h of `gaussian`; `median` is the median distance of the batch, without gradients.

    Raises:
        CloudError: If the unbiased estimator meets a cloud with fewer than two points.

    References:
        A Kernel Two-Sample Test (Gretton et al., 2012)
        https://jmlr.org/papers/v13/gretton12a.html

        Wasserstein Auto-Encoders (Tolstikhin et al., 2018)
        https://arxiv.org/abs/1711.01558

    Examples:
        >>> import torch
        >>> x = torch.arange(6.0).reshape(3, 2)
        >>> round(MMD(estimator="biased")(x, x).item(), 6)
        0.0
    """

    def __init__(
        self,
        kernel: Literal["imq", "gaussian"] = "imq",
        estimator: Literal["unbiased", "biased"] = "unbiased",
        variance: Positive = 1.0,
        scales: Annotated[tuple[Positive, ...], Field(min_length=1)] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
        bandwidth: Positive | Literal["median"] = "median",
    ) -> None:
        super().__init__()
        self.kernel = kernel
        self.estimator = estimator
        self.lengths = Lengths(variance, tuple(scales), bandwidth)

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        (x, a), (y, b) = self._massive(source, "source"), self._massive(target, "target")
        pairs = Pairs(squared_distances(x), squared_distances(y), squared_distances(x, y), x.shape[1])
        kernel, within = KERNELS[self.kernel](pairs, self.lengths), ESTIMATORS[self.estimator]
        return (
            within(kernel(pairs.source), a) + within(kernel(pairs.target), b) - 2 * between(kernel(pairs.between), a, b)
        )

    def _massive(self, cloud: Cloud, side: str) -> tuple[Tensor, Tensor]:
        x = precise(cloud.flat)
        weights = x.new_ones(len(x))
        if cloud.weights is not None:
            x, weights = x[cloud.weights > 0], cloud.weights[cloud.weights > 0].to(x.dtype)
        if self.estimator == "unbiased" and len(x) < 2:
            raise CloudError(
                f"The unbiased MMD averages over pairs of distinct points, but the {side} has 1 point with mass. "
                "Use a batch size of at least 2 (and drop a last batch of 1), or set estimator: biased."
            )
        return x, weights / weights.sum()

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, estimator={self.estimator}"
