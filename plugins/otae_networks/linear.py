"""The linear encoder and decoder, without activations: with squared errors they span what PCA spans."""

from __future__ import annotations

from math import prod

from torch import Tensor, nn

from otae.interfaces import Decoder

from .feature_encoder import FeatureEncoder
from .heads import Noise
from .outputs import Output, output_layer


class LinearEncoder(FeatureEncoder):
    """Creates a linear encoder for samples of any shape.

    With `noise: none`, the linear decoder and squared errors, the best codes span the principal components of the data.

    Args:
        data_shape: The shape of one sample, such as (1, 8, 8); it is flattened.
        latent_dim: The number of entries of a code.
        noise: `gaussian` for a diagonal Gaussian law with learned mean and variance, `implicit` for noise that enters
            a rectified layer and leaves no density, `none` for a deterministic code.

    References:
        Neural Networks and Principal Component Analysis: Learning from Examples Without Local Minima (Baldi, Hornik, 1989)
        https://doi.org/10.1016/0893-6080(89)90014-2

    Examples:
        >>> import torch
        >>> LinearEncoder((1, 8, 8), latent_dim=2)(torch.zeros(5, 1, 8, 8)).mean.shape
        torch.Size([5, 2])
    """

    def __init__(self, data_shape: tuple[int, ...], latent_dim: int, *, noise: Noise = "gaussian") -> None:
        super().__init__(data_shape, latent_dim)
        self.attach_head(prod(self.data_shape), noise)

    def extract(self, x: Tensor) -> Tensor:
        return x.flatten(1)


class LinearDecoder(Decoder):
    """Creates a linear decoder for samples of any shape.

    Args:
        latent_dim: The number of entries of a code.
        data_shape: The shape of one sample, such as (1, 8, 8).
        value_range: The smallest and largest value of the data, or `None` where unbounded.
        output: The last layer: `none` keeps the decoder linear, whatever the data; `auto` takes the sigmoid for data in
            [0, 1], tanh for [-1, 1], and none otherwise.

    Examples:
        >>> import torch
        >>> LinearDecoder(2, (1, 8, 8))(torch.zeros(5, 2)).shape
        torch.Size([5, 1, 8, 8])
    """

    def __init__(
        self,
        latent_dim: int,
        data_shape: tuple[int, ...],
        *,
        value_range: tuple[float, float] | None = None,
        output: Output = "none",
    ) -> None:
        super().__init__(latent_dim, data_shape)
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, prod(self.data_shape)),
            nn.Unflatten(1, self.data_shape),
            output_layer(output, value_range),
        )

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.layers(z)
        return x
