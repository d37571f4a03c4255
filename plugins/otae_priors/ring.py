"""The uniform prior on a spherical shell, a ring in the plane."""

from __future__ import annotations

from math import sqrt
from typing import Annotated

from pydantic import Field
from torch import Generator, Tensor

from otae.interfaces import Prior

from .arcs import along_arcs
from .shell import Shell, unit_variance


class Ring(Prior):
    r"""Creates the uniform prior between two spheres around the origin: in the plane, a ring.

    $$p(z) \propto 1 \quad \text{for } \rho R \le \|z\| \le R, \qquad
    \operatorname{Var} z_k = \frac{R^2}{d + 2} \cdot \frac{1 - \rho^{d + 2}}{1 - \rho^d}$$

    With ratio 0 it is the uniform law on a ball.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        ratio: The ratio ρ of the inner radius to the outer one.
        outer: The outer radius R; the one that gives each dimension unit variance where `None`.

    References:
        Sliced-Wasserstein Auto-Encoders (Kolouri et al., 2018)
        https://arxiv.org/abs/1804.01947

    Examples:
        >>> radii = Ring(latent_dim=2, ratio=0.5, outer=2.0).sample(100).norm(dim=1)
        >>> bool(radii.min() > 0.999), bool(radii.max() < 2.001)
        (True, True)
    """

    def __init__(
        self,
        latent_dim: int,
        ratio: Annotated[float, Field(ge=0, lt=1)] = 0.5,
        outer: Annotated[float, Field(gt=0)] | None = None,
    ) -> None:
        super().__init__(latent_dim)
        self.ratio = ratio
        self.outer = 1 / sqrt(unit_variance(latent_dim, ratio)) if outer is None else outer

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        normal = self.normal(count, self.latent_dim, generator=generator)
        return self.law.place(normal, self.uniform(count, generator=generator))

    @property
    def law(self) -> Shell:
        """Returns the uniform law on the shell; outside it the log-density is -inf."""
        return Shell(self._anchor.new_zeros(self.latent_dim), self.outer, self.ratio)

    def interpolate(self, a: Tensor, b: Tensor, fractions: Tensor) -> Tensor:
        """Returns codes along arcs around the hole, with shape (N, T, latent_dim).

        Args:
            a: Where the ways begin, with shape (N, latent_dim).
            b: Where they end, with shape (N, latent_dim).
            fractions: The shares of the way that are done, with shape (T,).
        """
        return along_arcs(a, b, fractions)

    def extra_repr(self) -> str:
        return f"ratio={self.ratio:g}, outer={self.outer:g}"
