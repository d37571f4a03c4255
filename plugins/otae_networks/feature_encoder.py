"""The base of encoders that make features of samples, and laws over codes of these."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor
from torch.distributions import Distribution

from otae.interfaces import Encoder

from .heads import HEADS, Noise


class FeatureEncoder(Encoder):
    """Abstract base of encoders of features and a head; an author calls `attach_head` at the end of `__init__`.

    Args:
        data_shape: The shape of one sample.
        latent_dim: The number of entries of a code.
    """

    def attach_head(self, count: int, noise: Noise) -> None:
        """Creates the head, which makes a law of features, and takes over whether that has a density.

        Args:
            count: The number of entries of a feature vector.
            noise: The kind of the law.
        """
        self.head = HEADS[noise](count, self.latent_dim)
        self.has_density = self.head.has_density

    @abstractmethod
    def extract(self, x: Tensor) -> Tensor:
        """Returns the features of each sample, with shape (N, K).

        Args:
            x: The samples, with shape (N, *data_shape).
        """

    def forward(self, x: Tensor) -> Distribution:
        return self.head(self.extract(x))
