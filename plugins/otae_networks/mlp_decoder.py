"""The fully connected decoder."""

from __future__ import annotations

from math import prod
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from otae.interfaces import Decoder

from .activations import Activation
from .hidden import HiddenLayers
from .outputs import Output, output_layer


class MLPDecoder(Decoder):
    """Creates a fully connected decoder for samples of any shape: vectors, tables' rows, images.

    Args:
        latent_dim: The number of entries of a code.
        data_shape: The shape of one sample, such as (1, 8, 8).
        value_range: The smallest and largest value of the data, or `None` where unbounded.
        width: The number of units of each hidden layer.
        depth: The number of hidden layers; 0 makes a linear decoder.
        activation: The activation after each hidden layer.
        output: The last layer: `auto` takes the sigmoid for data in [0, 1], tanh for [-1, 1], and none otherwise.

    Examples:
        >>> import torch
        >>> MLPDecoder(2, (1, 8, 8))(torch.zeros(5, 2)).shape
        torch.Size([5, 1, 8, 8])
    """

    def __init__(
        self,
        latent_dim: int,
        data_shape: tuple[int, ...],
        *,
        value_range: tuple[float, float] | None = None,
        width: Annotated[int, Field(gt=0)] = 256,
        depth: Annotated[int, Field(ge=0, le=256)] = 2,
        activation: Activation = "silu",
        output: Output = "auto",
    ) -> None:
        super().__init__(latent_dim, data_shape)
        hidden = HiddenLayers(latent_dim, width, depth, activation)
        self.layers = nn.Sequential(
            hidden,
            nn.Linear(hidden.out_features, prod(self.data_shape)),
            nn.Unflatten(1, self.data_shape),
            output_layer(output, value_range),
        )

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.layers(z)
        return x
