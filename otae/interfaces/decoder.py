"""The interface of decoders: from codes to data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import Tensor, nn


class Decoder(nn.Module, ABC):
    """Creates a map from codes to data, G(z).

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        data_shape: The shape of one sample, such as (1, 8, 8); handed in by the builder.
    """

    def __init__(self, latent_dim: int, data_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.data_shape = tuple(data_shape)

    @abstractmethod
    def forward(self, z: Tensor) -> Tensor:
        """Returns the decoded samples, with shape (N, *data_shape).

        Args:
            z: The codes, with shape (N, latent_dim).
        """

    if TYPE_CHECKING:

        def __call__(self, z: Tensor) -> Tensor: ...
