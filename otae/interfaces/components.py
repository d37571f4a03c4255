"""The components of a prior that is a mixture: how much each weighs, what it draws, which code is whose."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Generator, Tensor


class Components(ABC):
    """Creates the components of a prior that is a mixture of K laws; a prior hands them out by its `components`."""

    @property
    @abstractmethod
    def weights(self) -> Tensor:
        """Returns the probability of each component, with shape (K,) and sum 1."""

    @abstractmethod
    def sample(self, component: int, count: int, generator: Generator | None = None) -> Tensor:
        """Returns draws from one component, with shape (count, latent_dim).

        Args:
            component: The component's index, in [0, K).
            count: The number of draws.
            generator: The source of randomness; torch's global one where `None`.
        """

    @abstractmethod
    def assign(self, z: Tensor) -> Tensor:
        """Returns the probability that each code stems from each component, with shape (N, K) and rows of sum 1.

        Args:
            z: The codes, with shape (N, latent_dim).
        """

    def __len__(self) -> int:
        """Returns the number of components K."""
        return len(self.weights)
