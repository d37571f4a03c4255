"""The interface of prior families: laws over codes, trainable or not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.distributions import Distribution


class Prior(nn.Module, ABC):
    """Creates a law over codes, π.

    A subclass draws its noise with `self.normal` or `self.uniform`, which follow the module's device and type and obey
    the generator, and lets gradients flow from the sample to its parameters.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
    """

    _anchor: Tensor

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.register_buffer("_anchor", torch.empty(0), persistent=False)  # follows .to(device) and .double()

    @abstractmethod
    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        """Returns draws from the prior, with shape (count, latent_dim), differentiable in its parameters.

        Args:
            count: The number of draws.
            generator: The source of randomness; torch's global one where `None`.
        """

    @property
    def law(self) -> Distribution | None:
        """Returns the prior as a distribution with a density, or `None` where it has none."""
        return None

    def normal(self, *shape: int, generator: Generator | None = None) -> Tensor:
        """Returns standard normal noise on the prior's device, in its type.

        Args:
            shape: The shape of the noise.
            generator: The source of randomness.
        """
        return self._noise(torch.Tensor.normal_, shape, generator)

    def uniform(self, *shape: int, generator: Generator | None = None) -> Tensor:
        """Returns noise uniform on [0, 1) on the prior's device, in its type.

        Args:
            shape: The shape of the noise.
            generator: The source of randomness.
        """
        return self._noise(torch.Tensor.uniform_, shape, generator)

    def _noise(self, draw: Callable[..., Tensor], shape: tuple[int, ...], generator: Generator | None) -> Tensor:
        device = self._anchor.device if generator is None else generator.device
        empty = torch.empty(shape, device=device, dtype=self._anchor.dtype)
        return draw(empty, generator=generator).to(self._anchor.device)
