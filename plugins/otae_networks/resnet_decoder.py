"""The residual decoder of images."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from otae.interfaces import Decoder

from .activations import ACTIVATIONS, Activation
from .outputs import Output, output_layer
from .residual import Enlarged, ResidualBlock, normalised
from .stages import stages


class ResNetDecoder(Decoder):
    """Creates a residual convolutional decoder for images of any size from 8×8 up, odd sides included.

    It mirrors the residual encoder: two linear layers, then residual blocks with group normalisation at each size. From
    one size to the next, each pixel is copied to its neighbours and a convolution (kernel 3) follows, which leaves no
    checkerboard. The last convolution of each block starts at 0: a fresh network is one without blocks.

    Args:
        latent_dim: The number of entries of a code.
        data_shape: The shape of one image, (C, H, W).
        value_range: The smallest and largest value of the data, or `None` where unbounded.
        channels: The channels before the last convolution, doubled from one to the next away from the image, up to 512.
        blocks: The number of residual blocks at each size.
        width: The number of units of the first linear layer.
        activation: The activation after each normalisation and the first linear layer.
        output: The last layer: `auto` takes the sigmoid for data in [0, 1], tanh for [-1, 1], and none otherwise.

    Raises:
        ConfigError: If the samples are no images, or smaller than 8×8.

    References:
        Deep Residual Learning for Image Recognition (He et al., 2015)
        https://arxiv.org/abs/1512.03385

    Examples:
        >>> import torch
        >>> ResNetDecoder(2, (3, 32, 49))(torch.zeros(5, 2)).shape
        torch.Size([5, 3, 32, 49])
    """

    def __init__(
        self,
        latent_dim: int,
        data_shape: tuple[int, ...],
        *,
        value_range: tuple[float, float] | None = None,
        channels: Annotated[int, Field(gt=0)] = 32,
        blocks: Annotated[int, Field(ge=0, le=64)] = 1,
        width: Annotated[int, Field(gt=0)] = 256,
        activation: Activation = "silu",
        output: Output = "auto",
    ) -> None:
        super().__init__(latent_dim, data_shape)
        path = stages(self.data_shape, channels, "decoder")
        smallest = (path[-1].out_channels, *path[-1].out_size)

        def layers() -> Iterator[nn.Module]:
            for stage in reversed(path):
                yield from (ResidualBlock(stage.out_channels, activation) for _ in range(blocks))
                yield from normalised(stage.out_channels, activation)
                yield Enlarged(stage)

        self.layers = nn.Sequential(
            nn.Linear(latent_dim, width),
            ACTIVATIONS[activation](),
            nn.Linear(width, prod(smallest)),
            nn.Unflatten(1, smallest),
            *layers(),
            output_layer(output, value_range),
        )

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.layers(z)
        return x
