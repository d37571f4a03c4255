"""The interface of encoders: from data to a law over codes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.distributions import Distribution


class Encoder(nn.Module, ABC):
    """Creates a map from data to a law over codes, q(z|x).

    Args:
        data_shape: The shape of one sample, such as (1, 8, 8); handed in by the builder.
        latent_dim: The number of entries of a code; handed in by the builder.

    Attributes:
        has_density: Whether the law has a density, so that KL and entropy exist; `False` for a deterministic encoder.
    """

    has_density: bool = True

    def __init__(self, data_shape: tuple[int, ...], latent_dim: int) -> None:
        super().__init__()
        self.data_shape = tuple(data_shape)
        self.latent_dim = latent_dim

    @abstractmethod
    def forward(self, x: Tensor) -> Distribution:
        """Returns the law of each sample's code, with batch shape (N,) and event shape (latent_dim,).

        Args:
            x: The samples, with shape (N, *data_shape).
        """

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Distribution: ...
