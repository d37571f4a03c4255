"""The Student t prior: a Gaussian with heavy tails."""

from __future__ import annotations

from math import sqrt
from typing import Annotated

from pydantic import Field
from torch import Generator, Tensor

from otae.interfaces import Prior

from .gamma import gamma
from .multivariate_t import MultivariateT


class StudentT(Prior):
    r"""Creates the multivariate Student t prior, whose tails are those of a power law.

    $$z = s \, \varepsilon \sqrt{\nu / u}, \qquad \varepsilon \sim \mathcal{N}(0, I_d), \quad u \sim \chi^2_\nu$$

    All entries share one $u$: the law is symmetric under rotations, as the Gaussian is, and a code far out is far out in
    all of them. Independent Student entries would single out the axes along which single entries are large. The entries
    are uncorrelated, but not independent.

    The scale is $s = \sqrt{(\nu - 2) / \nu}$ where ν > 2, which gives each dimension unit variance. At ν ≤ 2 there is no
    finite variance, and s = 1.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        df: The degrees of freedom ν; the Gaussian is their limit at infinity.

    References:
        Multivariate T-Distributions and Their Applications (Kotz, Nadarajah, 2004)
        https://doi.org/10.1017/CBO9780511550683

    Examples:
        >>> tuple(StudentT(latent_dim=2).sample(5).shape)
        (5, 2)
    """

    def __init__(self, latent_dim: int, df: Annotated[float, Field(gt=0)] = 5.0) -> None:
        super().__init__(latent_dim)
        self.df = df
        self.scale = sqrt((df - 2) / df) if df > 2 else 1.0

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        normal = self.normal(count, self.latent_dim, generator=generator)
        return self.law.place(normal, gamma(self._anchor.new_full((count,), self.df / 2), generator))

    @property
    def law(self) -> MultivariateT:
        """Returns the multivariate Student t law."""
        return MultivariateT(self._anchor.new_zeros(self.latent_dim), self.df, self.scale)

    def extra_repr(self) -> str:
        return f"df={self.df:g}"
