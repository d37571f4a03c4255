"""The encoder of sets of points."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from .activations import Activation
from .feature_encoder import FeatureEncoder
from .heads import Noise
from .hidden import HiddenLayers
from .sets import Pool, check_sets


class SetEncoder(FeatureEncoder):
    r"""Creates an encoder of point clouds, with shape (points, dims), that does not see the order of the points.

    $$h = \rho\Big(\tfrac1P \sum_i \phi(x_i),\ \max_i \phi(x_i)\Big)$$

    The same hidden layers φ look at each point; the mean and the largest value of each feature go on to the hidden
    layers ρ and the head.

    Args:
        data_shape: The shape of one set, (points, dims).
        latent_dim: The number of entries of a code.
        noise: `gaussian` for a diagonal Gaussian law with learned mean and variance, `implicit` for noise that enters
            the last layer and leaves no density, `none` for a deterministic code.
        width: The number of units of each hidden layer.
        depth: The number of hidden layers of φ, and of ρ.
        activation: The activation after each hidden layer.

    Raises:
        ConfigError: If the samples are no sets of points.

    References:
        Deep Sets (Zaheer et al., 2017)
        https://arxiv.org/abs/1703.06114

        PointNet: Deep Learning on Point Sets for 3D Classification and Segmentation (Qi et al., 2017)
        https://arxiv.org/abs/1612.00593

    Examples:
        >>> import torch
        >>> SetEncoder((100, 3), latent_dim=2)(torch.zeros(5, 100, 3)).mean.shape
        torch.Size([5, 2])
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        latent_dim: int,
        *,
        noise: Noise = "gaussian",
        width: Annotated[int, Field(gt=0)] = 128,
        depth: Annotated[int, Field(gt=0, le=256)] = 2,
        activation: Activation = "silu",
    ) -> None:
        super().__init__(data_shape, latent_dim)
        _, dims = check_sets(self.data_shape, "encoder")
        each, all_ = HiddenLayers(dims, width, depth, activation), HiddenLayers(2 * width, width, depth, activation)
        self.features = nn.Sequential(each, Pool(), all_)
        self.attach_head(width, noise)

    def extract(self, x: Tensor) -> Tensor:
        features: Tensor = self.features(x)
        return features
