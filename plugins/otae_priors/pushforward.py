"""What the neural priors share: noise sent through a network and standardised."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Generator, Tensor, nn

from otae.interfaces import Prior

from .standardize import Standardize


class Pushforward(Prior, ABC):
    r"""Creates a prior that standardises what a network makes of normal noise.

    The network's last layer needs no bias, which the standardisation would remove.

    Args:
        latent_dim: The number of entries of a code.
        network: The map from noise to draws, both with shape (N, latent_dim).
    """

    @abstractmethod
    def __init__(self, latent_dim: int, network: nn.Module) -> None:
        super().__init__(latent_dim)
        self.network = network
        self.standardize = Standardize(latent_dim)

    def forward(self, noise: Tensor) -> Tensor:
        """Returns the draws that stem from the noise, with shape (N, latent_dim).

        Args:
            noise: Standard normal noise, with shape (N, latent_dim).
        """
        result: Tensor = self.standardize(self.network(noise))
        return result

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return self.forward(self.normal(count, self.latent_dim, generator=generator))
