"""The convolutional decoder."""

from __future__ import annotations

from math import prod
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from otae.interfaces import Decoder

from .activations import ACTIVATIONS, Activation
from .outputs import Output, output_layer
from .stages import stages


class ConvDecoder(Decoder):
    """Creates a convolutional decoder for images of any size from 8×8 up, without batch normalisation.

    It mirrors the convolutional encoder: two linear layers, then transposed convolutions (kernel 4, stride 2) that
    double the sides. With images of 3×64×64 and the defaults, it is the decoder of the reference.

    Args:
        latent_dim: The number of entries of a code.
        data_shape: The shape of one image, (C, H, W).
        value_range: The smallest and largest value of the data, or `None` where unbounded.
        channels: The channels before the last convolution, doubled from one to the next away from the image, up to 512.
        width: The number of units of the first linear layer.
        activation: The activation after each hidden layer.
        output: The last layer: `auto` takes the sigmoid for data in [0, 1], tanh for [-1, 1], and none otherwise.

    Raises:
        ConfigError: If the samples are no images, or smaller than 8×8.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2023)
        https://arxiv.org/abs/2209.07007

    Examples:
        >>> import torch
        >>> ConvDecoder(2, (3, 32, 48))(torch.zeros(5, 2)).shape
        torch.Size([5, 3, 32, 48])
    """

    def __init__(
        self,
        latent_dim: int,
        data_shape: tuple[int, ...],
        *,
        value_range: tuple[float, float] | None = None,
        channels: Annotated[int, Field(gt=0)] = 32,
        width: Annotated[int, Field(gt=0)] = 256,
        activation: Activation = "silu",
        output: Output = "auto",
    ) -> None:
        super().__init__(latent_dim, data_shape)
        path = stages(self.data_shape, channels, "decoder")
        act, last = ACTIVATIONS[activation], path[-1]
        smallest = (last.out_channels, *last.out_size)
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, width),
            act(),
            nn.Linear(width, prod(smallest)),
            nn.Unflatten(1, smallest),
            *(layer for stage in reversed(path) for layer in (act(), stage.upward())),
            output_layer(output, value_range),
        )

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.layers(z)
        return x
