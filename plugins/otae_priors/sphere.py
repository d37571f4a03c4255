"""The uniform prior on a sphere."""

from __future__ import annotations

from math import sqrt
from typing import Annotated

from pydantic import Field
from torch import Generator, Tensor
from torch.nn import functional as F

from otae.interfaces import Prior

from .arcs import along_arcs


class Sphere(Prior):
    r"""Creates the uniform prior on a sphere around the origin.

    $$z = r \, \varepsilon / \|\varepsilon\|, \qquad \varepsilon \sim \mathcal{N}(0, I_d)$$

    Each dimension has mean 0 and variance $r^2 / d$. The law lies on a surface and has no density: compare codes
    with its samples, not by KL.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        radius: The radius r; √latent_dim where `None`, which gives each dimension unit variance.

    References:
        Hyperspherical Variational Auto-Encoders (Davidson et al., 2018)
        https://arxiv.org/abs/1804.00891

    Examples:
        >>> Sphere(latent_dim=3, radius=2.0).sample(2).norm(dim=1).round(decimals=4).tolist()
        [2.0, 2.0]
    """

    def __init__(self, latent_dim: int, radius: Annotated[float, Field(gt=0)] | None = None) -> None:
        super().__init__(latent_dim)
        self.radius = sqrt(latent_dim) if radius is None else radius

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return self.radius * F.normalize(self.normal(count, self.latent_dim, generator=generator), dim=1)

    def interpolate(self, a: Tensor, b: Tensor, fractions: Tensor) -> Tensor:
        """Returns codes along great circles, with shape (N, T, latent_dim).

        Args:
            a: Where the ways begin, with shape (N, latent_dim).
            b: Where they end, with shape (N, latent_dim).
            fractions: The shares of the way that are done, with shape (T,).
        """
        return along_arcs(a, b, fractions)

    def extra_repr(self) -> str:
        return f"radius={self.radius:g}"
