"""The inverse multiquadratic kernel of Wasserstein autoencoders."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from otae.reductions import Radial

from .lengths import Positive, Scales
from .profiles import Inverses
from .scaled import Scaled

WAE_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class IMQ(Scaled):
    r"""Creates the kernel $\sum_s Cs / (Cs + \|x - y\|^2)$ with $C = 2 D \sigma^2$, whose slow decay reaches clouds far apart.

    Args:
        variance: The variance σ² of the prior in each dimension: C is the mean squared distance of two of its points.
        scales: The factors s over which the kernel is summed; those of WAE-MMD by default.

    References:
        Wasserstein Auto-Encoders (Tolstikhin et al., 2018)
        https://arxiv.org/abs/1711.01558

    Examples:
        >>> import torch
        >>> IMQ(scales=(1.0,))(torch.zeros(1, 2), torch.ones(1, 2)).item()  # C = 4, and the squared distance 2
        0.6666666865348816
    """

    variance: Positive = 1.0
    scales: Scales = WAE_SCALES

    def fix(self, x: Tensor, y: Tensor) -> Radial:
        return Inverses(tuple(2 * x.shape[-1] * self.variance * scale for scale in self.scales))
