"""The fully connected encoder."""

from __future__ import annotations

from math import prod
from typing import Annotated

from pydantic import Field
from torch import Tensor

from .activations import Activation
from .feature_encoder import FeatureEncoder
from .heads import Noise
from .hidden import HiddenLayers


class MLPEncoder(FeatureEncoder):
    """Creates a fully connected encoder for samples of any shape: vectors, tables' rows, images.

    Args:
        data_shape: The shape of one sample, such as (1, 8, 8); it is flattened.
        latent_dim: The number of entries of a code.
        noise: `gaussian` for a diagonal Gaussian law with learned mean and variance, `implicit` for noise that enters
            the last layer and leaves no density, `none` for a deterministic code.
        width: The number of units of each hidden layer.
        depth: The number of hidden layers; 0 makes a linear encoder.
        activation: The activation after each hidden layer.

    Examples:
        >>> import torch
        >>> law = MLPEncoder((1, 8, 8), latent_dim=2)(torch.zeros(5, 1, 8, 8))
        >>> law.batch_shape, law.event_shape
        (torch.Size([5]), torch.Size([2]))
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        latent_dim: int,
        *,
        noise: Noise = "gaussian",
        width: Annotated[int, Field(gt=0)] = 256,
        depth: Annotated[int, Field(ge=0, le=256)] = 2,
        activation: Activation = "silu",
    ) -> None:
        super().__init__(data_shape, latent_dim)
        self.hidden = HiddenLayers(prod(data_shape), width, depth, activation)
        self.attach_head(self.hidden.out_features, noise)

    def extract(self, x: Tensor) -> Tensor:
        features: Tensor = self.hidden(x.flatten(1))
        return features
