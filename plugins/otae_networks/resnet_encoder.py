"""The residual encoder of images."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from .activations import ACTIVATIONS, Activation
from .feature_encoder import FeatureEncoder
from .heads import Noise
from .logit import Logit
from .residual import ResidualBlock, normalised
from .stages import stages


class ResNetEncoder(FeatureEncoder):
    """Creates a residual convolutional encoder for images of any size from 8×8 up, odd sides included.

    Convolutions (kernel 4, stride 2) halve the sides until they are between 4 and 7 pixels, and residual blocks with
    group normalisation follow each; one hidden linear layer and the head end it. Data in [0, 1] first pass through the
    logit. The last convolution of each block starts at 0: a fresh network is one without blocks.

    Args:
        data_shape: The shape of one image, (C, H, W).
        latent_dim: The number of entries of a code.
        value_range: The smallest and largest value of the data, or `None` where unbounded.
        noise: `gaussian` for a diagonal Gaussian law with learned mean and variance, `implicit` for noise that enters
            the last layer and leaves no density, `none` for a deterministic code.
        channels: The channels of the first convolution, doubled from one to the next, up to 512.
        blocks: The number of residual blocks after each convolution.
        width: The number of units of the hidden linear layer.
        activation: The activation after each normalisation and hidden layer.

    Raises:
        ConfigError: If the samples are no images, or smaller than 8×8.

    References:
        Deep Residual Learning for Image Recognition (He et al., 2015)
        https://arxiv.org/abs/1512.03385

    Examples:
        >>> import torch
        >>> ResNetEncoder((3, 32, 48), latent_dim=2)(torch.zeros(5, 3, 32, 48)).mean.shape
        torch.Size([5, 2])
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        latent_dim: int,
        *,
        value_range: tuple[float, float] | None = None,
        noise: Noise = "gaussian",
        channels: Annotated[int, Field(gt=0)] = 32,
        blocks: Annotated[int, Field(ge=0, le=64)] = 1,
        width: Annotated[int, Field(gt=0)] = 256,
        activation: Activation = "silu",
    ) -> None:
        super().__init__(data_shape, latent_dim)
        path = stages(self.data_shape, channels, "encoder")
        last = path[-1]

        def layers() -> Iterator[nn.Module]:
            for stage in path:
                yield stage.downward()
                yield from (ResidualBlock(stage.out_channels, activation) for _ in range(blocks))
                yield from normalised(stage.out_channels, activation)

        self.features = nn.Sequential(
            Logit() if value_range == (0, 1) else nn.Identity(),
            *layers(),
            nn.Flatten(),
            nn.Linear(last.out_channels * prod(last.out_size), width),
            ACTIVATIONS[activation](),
        )
        self.attach_head(width, noise)

    def extract(self, x: Tensor) -> Tensor:
        features: Tensor = self.features(x)
        return features
