"""The decoder of sets of points."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from otae.interfaces import Decoder

from .activations import ACTIVATIONS, Activation
from .hidden import HiddenLayers
from .outputs import Output, output_layer
from .sets import Seeds, check_sets


class SetDecoder(Decoder):
    r"""Creates a decoder of point clouds, with shape (points, dims): it folds learned seeds, one a point, by the code.

    $$x_i = g(W z + s_i)$$

    The same layers g make each point, so that a decoder of many points has hardly more parameters. The order of the
    points means nothing: compare sets by a cost that does not see it, `{cost: {name: paired, ground: chamfer}}`.

    Args:
        latent_dim: The number of entries of a code.
        data_shape: The shape of one set, (points, dims).
        value_range: The smallest and largest value of the data, or `None` where unbounded.
        width: The number of units of each hidden layer, and of entries of a seed.
        depth: The number of hidden layers of g.
        activation: The activation after each hidden layer.
        output: The last layer: `auto` takes the sigmoid for data in [0, 1], tanh for [-1, 1], and none otherwise.

    Raises:
        ConfigError: If the samples are no sets of points.

    References:
        FoldingNet: Point Cloud Auto-encoder via Deep Grid Deformation (Yang et al., 2018)
        https://arxiv.org/abs/1712.07262

    Examples:
        >>> import torch
        >>> SetDecoder(2, (100, 3))(torch.zeros(5, 2)).shape
        torch.Size([5, 100, 3])
    """

    def __init__(
        self,
        latent_dim: int,
        data_shape: tuple[int, ...],
        *,
        value_range: tuple[float, float] | None = None,
        width: Annotated[int, Field(gt=0)] = 128,
        depth: Annotated[int, Field(gt=0, le=256)] = 2,
        activation: Activation = "silu",
        output: Output = "auto",
    ) -> None:
        super().__init__(latent_dim, data_shape)
        points, dims = check_sets(self.data_shape, "decoder")
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, width),
            Seeds(points, width),
            ACTIVATIONS[activation](),
            HiddenLayers(width, width, depth - 1, activation),
            nn.Linear(width, dims),
            output_layer(output, value_range),
        )

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.layers(z)
        return x
