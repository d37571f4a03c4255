"""The Laplace prior."""

from __future__ import annotations

from math import sqrt
from typing import Annotated

import torch
from otae import Prior
from pydantic import Field
from torch import Generator, Tensor
from torch.distributions import Distribution, Independent
from torch.distributions import Laplace as LaplaceLaw


class Laplace(Prior):
    r"""Creates the prior of independent Laplace entries; the meta-prior of sparse codes.

    $$\pi(z) = \prod_k \frac{1}{2b} e^{-|z_k| / b}, \qquad b = \sqrt{\sigma^2 / 2}$$

    Most entries of a draw are small and a few are large. The law has a density, so that `kl` works with it, too.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        variance: The variance σ² of each entry.

    References:
        Sparse Coding with an Overcomplete Basis Set: A Strategy Employed by V1? (Olshausen, Field, 1997)
        https://doi.org/10.1016/S0042-6989(97)00169-7

    Examples:
        >>> tuple(Laplace(latent_dim=2).sample(5).shape)
        (5, 2)
    """

    mean: Tensor

    def __init__(self, latent_dim: int, variance: Annotated[float, Field(gt=0)] = 1.0) -> None:
        super().__init__(latent_dim)
        self.register_buffer("mean", torch.zeros(latent_dim), persistent=False)  # follows .to(device) and .double()
        self.scale = sqrt(variance / 2)

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        noise = self.uniform(2, count, self.latent_dim, generator=generator)  # below 1, so that the logarithm is finite
        exponential = -torch.log1p(-noise)
        return self.scale * (exponential[0] - exponential[1])

    @property
    def law(self) -> Distribution:
        """Returns the Laplace distribution over vectors of latent_dim entries."""
        return Independent(LaplaceLaw(self.mean, self.scale), 1)

    def extra_repr(self) -> str:
        return f"variance={2 * self.scale**2:g}"
