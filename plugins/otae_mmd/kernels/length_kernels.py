"""Kernels that fall off over a bandwidth: the Gaussian, the Laplacian, and the rational quadratic one."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor

from otae.reductions import Radial

from .lengths import Bandwidth, Positive, Scales, square_lengths
from .profiles import Exponential, InversePower, RootExponential, mix
from .scaled import Scaled


@dataclass(frozen=True)
class _Falling(Scaled):
    """Abstract base of kernels that fall off over a bandwidth, summed over scales of it."""

    bandwidth: Bandwidth = "median"
    scales: Scales = (1.0,)

    @abstractmethod
    def _over(self, square: float | Tensor) -> Radial:
        """Returns the kernel over one squared length."""

    def fix(self, x: Tensor, y: Tensor) -> Radial:
        return mix([self._over(square) for square in square_lengths(self.bandwidth, tuple(self.scales), x, y)])


@dataclass(frozen=True)
class Gaussian(_Falling):
    r"""Creates the kernel $\sum_s \exp(-\|x - y\|^2 / 2sh^2)$, for clouds that overlap.

    Args:
        bandwidth: The length h; `median` is the median distance of the points of both clouds (of at most 256 of each),
            without gradients.
        scales: The factors s of the squared length over which the kernel is summed.

    Examples:
        >>> import torch
        >>> round(Gaussian(1.0)(torch.zeros(1, 2), torch.ones(1, 2)).item(), 4)
        0.3679
    """

    def _over(self, square: float | Tensor) -> Radial:
        return Exponential(1 / (2 * square))


@dataclass(frozen=True)
class Laplacian(_Falling):
    r"""Creates the kernel $\sum_s \exp(-\|x - y\| / \sqrt{s}\,h)$, which sees more of the fine detail than the Gaussian.

    Args:
        bandwidth: The length h; `median` is the median distance of the points of both clouds (of at most 256 of each),
            without gradients.
        scales: The factors s of the squared length over which the kernel is summed.

    Examples:
        >>> import torch
        >>> round(Laplacian(5.0)(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])).item(), 4)
        0.3679
    """

    def _over(self, square: float | Tensor) -> Radial:
        return RootExponential(1 / square**0.5)


@dataclass(frozen=True)
class RationalQuadratic(_Falling):
    r"""Creates the kernel $\sum_s (1 + \|x - y\|^2 / 2 \alpha sh^2)^{-\alpha}$, a mixture of Gaussians of all lengths.

    Args:
        bandwidth: The length h; `median` is the median distance of the points of both clouds (of at most 256 of each),
            without gradients.
        scales: The factors s of the squared length over which the kernel is summed.
        alpha: The exponent α.

    Examples:
        >>> import torch
        >>> RationalQuadratic(1.0)(torch.zeros(1, 2), torch.ones(1, 2)).item()
        0.5
    """

    alpha: Positive = 1.0

    def _over(self, square: float | Tensor) -> Radial:
        return InversePower(1 / (2 * square), self.alpha)
