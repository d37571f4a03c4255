"""The implicit law: noise that is pushed through a layer, which has draws and a mean but no density."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.distributions.constraints import Constraint

from otae.reductions import precise


class Implicit(Distribution):
    r"""Creates the law of a rectified layer that is fed with noise.

    $$z = \mu + B \operatorname{relu}(c + D \varepsilon), \quad \varepsilon \sim \mathcal{N}(0, I)$$

    It may be skewed, correlated and of several modes. It has no density, but its mean is known exactly, since the mean
    of a rectified normal number is: with $s_k = \|D_k\|$,

    $$\mathbb{E} z = \mu + B m, \quad m_k = c_k \Phi(c_k / s_k) + s_k \varphi(c_k / s_k)$$

    Args:
        location: The part μ without noise, with shape (N, D).
        drive: The units c before the noise, with shape (N, H).
        spread: The map D from noise to units, with shape (H, E).
        readout: The map B from units to codes, with shape (D, H).

    Examples:
        >>> law = Implicit(torch.zeros(2, 1), torch.zeros(2, 1), torch.ones(1, 1), torch.ones(1, 1))
        >>> round(law.mean[0].item(), 4) == round((2 * math.pi) ** -0.5, 4)
        True
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"location": constraints.real_vector}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, location: Tensor, drive: Tensor, spread: Tensor, readout: Tensor) -> None:
        self.location, self.drive, self.spread, self.readout = location, drive, spread, readout
        super().__init__(location.shape[:-1], location.shape[-1:], validate_args=False)

    @property
    def mean(self) -> Tensor:
        drive, spread = precise(self.drive), precise(self.spread)
        deviation = spread.square().sum(1).add(torch.finfo(spread.dtype).tiny).sqrt()
        ratio = drive / deviation
        density = ratio.square().mul(-0.5).exp() / math.sqrt(2 * math.pi)
        return self._code(drive * torch.special.ndtr(ratio) + deviation * density)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        noise = self.drive.new_empty(*sample_shape, len(self.drive), self.spread.shape[1]).normal_()
        return self._code((self.drive + noise @ self.spread.T).relu())

    def _code(self, units: Tensor) -> Tensor:
        return self.location + (units.to(self.readout.dtype) @ self.readout.T)
