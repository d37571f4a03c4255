"""The vector-quantised prior: Gaussian draws snapped to learned codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from otae.interfaces import Components, Prior
from otae.reductions import squared_distances

from .choice import argmax, sparsemax
from .standardize import Standardize


class Codebook(Prior):
    r"""Creates a prior on finitely many learned codes: each draw is the code nearest to a Gaussian one.

    $$z = \mathrm{BN}(c_k), \qquad k = \operatorname*{arg\,min}_l \|\varepsilon - c_l\|, \quad
    \varepsilon \sim \mathcal{N}(0, I_d)$$

    A code's weight is the Gaussian mass of the region where it is nearest. In evaluation every draw is a code. In training
    the choice is a sparsemax of the negative squared distances over twice the temperature: most draws still are a code, and
    those near the border of two regions lie between their codes, so that gradients tell the codes how to move as well as
    how to share out the mass. The law has no density.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        codes: The number K of codes.
        temperature: How much the choice of a code is relaxed in training.

    Attributes:
        codes: The codes c before standardisation, with shape (K, latent_dim).

    References:
        Neural Discrete Representation Learning (van den Oord et al., 2017)
        https://arxiv.org/abs/1711.00937

        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2023)
        https://arxiv.org/abs/2209.07007

    Examples:
        >>> prior = Codebook(latent_dim=2, codes=4).eval()
        >>> len(prior.sample(1000).unique(dim=0))
        4
    """

    def __init__(
        self,
        latent_dim: int,
        codes: Annotated[int, Field(gt=1)] = 16,
        temperature: Annotated[float, Field(gt=0)] = 0.1,
    ) -> None:
        super().__init__(latent_dim)
        self.temperature = temperature
        self.codes = nn.Parameter(torch.randn(codes, latent_dim))
        self.standardize = Standardize(latent_dim)

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        scores = -squared_distances(self.normal(count, self.latent_dim, generator=generator), self.codes) / 2
        choices = sparsemax(scores / self.temperature) if self.training else argmax(scores)  # (count, K)
        result: Tensor = self.standardize(choices @ self.codes)
        return result

    @property
    def components(self) -> Codes:
        """Returns the codes as components, each of them one point."""
        return Codes(self)

    def extra_repr(self) -> str:
        return f"codes={len(self.codes)}, temperature={self.temperature:g}"


@dataclass(frozen=True, eq=False)
class Codes(Components):
    """Creates the components of a codebook: points, each with the Gaussian mass of its region.

    Args:
        prior: The codebook.
    """

    prior: Codebook

    @property
    def weights(self) -> Tensor:
        """Returns the mass of each region, with shape (K,): its share of 4096 quasi-random normal points."""
        codes = self.prior.codes.detach()
        points = torch.quasirandom.SobolEngine(codes.shape[1], scramble=True, seed=0).draw(4096)  # type: ignore[no-untyped-call]
        normal = torch.special.ndtri(points.double().clamp(1e-9, 1 - 1e-9)).to(codes)
        return argmax(-squared_distances(normal, codes)).mean(0)

    def sample(self, component: int, count: int, generator: Generator | None = None) -> Tensor:
        return self.points[component].expand(count, -1)

    def assign(self, z: Tensor) -> Tensor:
        """Returns which code is nearest, as one-hot rows with shape (N, K).

        Args:
            z: The codes, with shape (N, latent_dim).
        """
        return argmax(-squared_distances(z, self.points))

    @property
    def points(self) -> Tensor:
        """Returns the codes after standardisation by the running moments, with shape (K, latent_dim)."""
        norm = self.prior.standardize.norm
        return F.batch_norm(self.prior.codes, norm.running_mean, norm.running_var, eps=norm.eps)
