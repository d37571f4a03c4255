"""The interface of prior families: laws over codes, trainable or not, and what each can do beyond sampling."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.distributions import Distribution

from .components import Components


class Prior(nn.Module, ABC):
    """Creates a law over codes, π.

    A subclass draws its noise with `self.normal` or `self.uniform`, which follow the module's device and type and obey
    the generator, and lets gradients flow from the sample to its parameters. What else it can do, it says by its
    properties: `law`, where it has a density, and `components`, where it is a mixture.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.

    Attributes:
        fits_codes: Whether the prior is fitted to the codes of the training data once training is over; its buffers may
            then change their sizes, and a state's sizes win when it is loaded.
        warmup: The number of epochs after which training calls `start`; never where `None`.
        every: The number of epochs between further calls; none where `None`.
    """

    fits_codes: ClassVar[bool] = False
    warmup: int | None = None
    every: int | None = None
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

    @property
    def components(self) -> Components | None:
        """Returns the components of a prior that is a mixture, as it is in eval mode, or `None` where it is none."""
        return None

    @property
    def graph(self) -> Tensor | None:
        """Returns the directed graph, without cycles, by which the entries of a code act on one another in eval mode, with
        shape (latent_dim, latent_dim): 1 where i acts on j. `None` where the prior has none.
        """
        return None

    def fit(self, codes: Tensor) -> None:
        """Fits the prior to codes, in place; without effect unless `fits_codes`.

        Args:
            codes: The codes of the training data, with shape (N, latent_dim), one draw from the law of each sample's.
        """

    def start(self, codes: Tensor, again: bool = False) -> None:
        """Sets the parameters by what the codes look like after `warmup` epochs, in place; training goes on from there.

        Args:
            codes: The codes of the training data, with shape (N, latent_dim), one draw from the law of each sample's.
            again: Whether this is a further call, so that the parameters are to follow the codes from where they are.
        """

    def interpolate(self, a: Tensor, b: Tensor, fractions: Tensor) -> Tensor:
        """Returns codes on the ways from some codes to others, with shape (N, T, latent_dim): straight lines by default.

        A prior whose mass lies on a curved set overrides this, so that codes on the way stay where it has mass.

        Args:
            a: Where the ways begin, with shape (N, latent_dim).
            b: Where they end, with shape (N, latent_dim).
            fractions: The shares of the way that are done, with shape (T,): 0 gives a, 1 gives b.
        """
        return torch.lerp(a[:, None], b[:, None], fractions[:, None])

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

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        if self.fits_codes:  # how many points or components were fitted is known to the state alone
            for name, buffer in self.named_buffers(recurse=False):
                stored = state_dict.get(prefix + name, buffer)
                setattr(self, name, buffer.new_empty(stored.shape))
        super()._load_from_state_dict(state_dict, prefix, *rest)
