"""What the neural priors share: noise sent through a network and standardised."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Generator, Tensor, nn

from otae.interfaces import Prior

from .standardize import Standardize


class Pushforward(Prior, ABC):
    r"""Creates a prior that standardises what a network makes of normal noise.

    $$z = \lambda \odot \mathrm{BN}(f(\varepsilon)), \qquad \varepsilon \sim \mathcal{N}(0, I_d), \quad
    \lambda = 1 \text{ or } \lambda = d \operatorname{softmax}(a)$$

    The network's last layer needs no bias, which the standardisation would remove. Learned deviations λ have mean 1, so
    that no cost can shrink the codes as a whole.

    Args:
        latent_dim: The number of entries of a code.
        network: The map from noise to draws, both with shape (N, latent_dim).
        learn_scales: Whether the dimensions' standard deviations are learned; all are 1 otherwise.
    """

    @abstractmethod
    def __init__(self, latent_dim: int, network: nn.Module, learn_scales: bool = False) -> None:
        super().__init__(latent_dim)
        self.network = network
        self.standardize = Standardize(latent_dim)
        self.log_scales = nn.Parameter(torch.zeros(latent_dim)) if learn_scales else None

    @property
    def scales(self) -> Tensor:
        """Returns the standard deviation of each dimension, with shape (latent_dim,); their mean is 1."""
        if self.log_scales is None:
            return self._anchor.new_ones(self.latent_dim)
        return self.latent_dim * self.log_scales.softmax(0)

    def forward(self, noise: Tensor) -> Tensor:
        """Returns the draws that stem from the noise, with shape (N, latent_dim).

        Args:
            noise: Standard normal noise, with shape (N, latent_dim).
        """
        draws: Tensor = self.standardize(self.network(noise))
        return draws if self.log_scales is None else self.scales * draws

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return self.forward(self.normal(count, self.latent_dim, generator=generator))
