"""The uniform prior on a cube."""

from __future__ import annotations

from math import sqrt

from torch import Generator, Tensor
from torch.distributions import Distribution, Independent
from torch.distributions import Uniform as UniformLaw

from otae.interfaces import Prior


class Uniform(Prior):
    r"""Creates the uniform prior on the cube whose dimensions have unit variance.

    $$\pi = \mathcal{U}\big([-\sqrt 3, \sqrt 3]^d\big)$$

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.

    Examples:
        >>> bool(Uniform(latent_dim=2).sample(5).abs().max() <= 3**0.5)
        True
    """

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return sqrt(3) * (2 * self.uniform(count, self.latent_dim, generator=generator) - 1)

    @property
    def law(self) -> Distribution:
        """Returns the uniform distribution over the cube; outside it the log-density is -inf, not an error."""
        bound = self._anchor.new_full((self.latent_dim,), sqrt(3))
        return Independent(UniformLaw(-bound, bound, validate_args=False), 1, validate_args=False)
