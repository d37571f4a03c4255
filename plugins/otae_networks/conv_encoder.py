"""The convolutional encoder."""

from __future__ import annotations

from math import prod
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from .activations import ACTIVATIONS, Activation
from .feature_encoder import FeatureEncoder
from .heads import Noise
from .logit import Logit
from .stages import stages


class ConvEncoder(FeatureEncoder):
    """Creates a convolutional encoder for images of any size from 8×8 up, without batch normalisation.

    Convolutions (kernel 4, stride 2) halve the sides until they are between 4 and 7 pixels; one hidden linear layer and
    the head follow. Data in [0, 1] first pass through the logit. With images of 3×64×64 and the defaults, it is the
    encoder of the reference.

    Args:
        data_shape: The shape of one image, (C, H, W).
        latent_dim: The number of entries of a code.
        value_range: The smallest and largest value of the data, or `None` where unbounded.
        noise: `gaussian` for a diagonal Gaussian law with learned mean and variance, `implicit` for noise that enters
            the last layer and leaves no density, `none` for a deterministic code.
        channels: The channels of the first convolution, doubled from one to the next, up to 512.
        width: The number of units of the hidden linear layer.
        activation: The activation after each hidden layer.

    Raises:
        ConfigError: If the samples are no images, or smaller than 8×8.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2023)
        https://arxiv.org/abs/2209.07007

    Examples:
        >>> import torch
        >>> ConvEncoder((3, 32, 48), latent_dim=2)(torch.zeros(5, 3, 32, 48)).mean.shape
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
        width: Annotated[int, Field(gt=0)] = 256,
        activation: Activation = "silu",
    ) -> None:
        super().__init__(data_shape, latent_dim)
        path = stages(self.data_shape, channels, "encoder")
        act, last = ACTIVATIONS[activation], path[-1]
        self.features = nn.Sequential(
            Logit() if value_range == (0, 1) else nn.Identity(),
            *(layer for stage in path for layer in (stage.downward(), act())),
            nn.Flatten(),
            nn.Linear(last.out_channels * prod(last.out_size), width),
            act(),
        )
        self.attach_head(width, noise)

    def extract(self, x: Tensor) -> Tensor:
        features: Tensor = self.features(x)
        return features
