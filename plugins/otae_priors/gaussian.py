"""The standard normal prior."""

from __future__ import annotations

from torch import Generator, Tensor
from torch.distributions import Distribution, Independent, Normal

from otae.interfaces import Prior


class Gaussian(Prior):
    r"""Creates the standard normal prior.

    $$\pi = \mathcal{N}(0, I_d)$$

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.

    Examples:
        >>> tuple(Gaussian(latent_dim=2).sample(5).shape)
        (5, 2)
    """

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return self.normal(count, self.latent_dim, generator=generator)

    @property
    def law(self) -> Distribution:
        """Returns the standard normal distribution over vectors of latent_dim entries."""
        zeros = self._anchor.new_zeros(self.latent_dim)
        return Independent(Normal(zeros, zeros + 1), 1)
