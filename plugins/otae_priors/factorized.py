"""The factorized neural prior: independent dimensions, each with a marginal of its own."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from .pushforward import LeakySiLU, Pushforward


class Factorized(Pushforward):
    r"""Creates a prior with independent, learned, non-Gaussian marginals; the meta-prior of disentanglement.

    $$z_k = \mathrm{BN}(\mathrm{MLP}_k(\varepsilon_k)), \qquad \varepsilon \sim \mathcal{N}(0, I_d)$$

    Each dimension has a network of its own that sees its own noise only. The law has no tractable density.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        width: The width of the hidden layers of each dimension's network.
        depth: The number of hidden layers.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2023)
        https://arxiv.org/abs/2209.07007

    Examples:
        >>> tuple(Factorized(latent_dim=2).sample(5).shape)
        (5, 2)
    """

    def __init__(
        self,
        latent_dim: int,
        width: Annotated[int, Field(gt=0)] = 4,
        depth: Annotated[int, Field(gt=0)] = 3,
    ) -> None:
        super().__init__(latent_dim, _Separate(latent_dim, [1, *[width] * depth, 1]))


class _Separate(nn.Module):
    """Creates one network per dimension, all evaluated at once; several times faster than grouped convolutions.

    Args:
        size: The number of dimensions, and so of networks.
        widths: The widths of each network's layers, from its input to its output.
    """

    def __init__(self, size: int, widths: list[int]) -> None:
        super().__init__()
        layers = [_SeparateLinear(size, n, m) for n, m in pairwise(widths[:-1])]
        hidden = [part for layer in layers for part in (layer, LeakySiLU())]
        self.layers = nn.Sequential(*hidden, _SeparateLinear(size, widths[-2], widths[-1], bias=False))

    def forward(self, noise: Tensor) -> Tensor:
        """Returns what each network makes of its dimension's noise, with shape (N, size).

        Args:
            noise: The noise, with shape (N, size).
        """
        result: Tensor = self.layers(noise.T[:, None, :])  # (size, 1, N)
        return result[:, 0, :].T


class _SeparateLinear(nn.Module):
    """Creates one linear map per dimension.

    Args:
        size: The number of dimensions.
        inputs: The number of inputs of each map.
        outputs: The number of outputs of each map.
        bias: Whether the maps add a constant.
    """

    def __init__(self, size: int, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__()
        bound, keeps_variance = (
            1 / sqrt(inputs),
            sqrt(6 / inputs),
        )  # as He et al.: narrow layers would shrink their input
        self.weight = nn.Parameter(torch.empty(size, outputs, inputs).uniform_(-keeps_variance, keeps_variance))
        self.bias = nn.Parameter(torch.empty(size, outputs, 1).uniform_(-bound, bound)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Returns the mapped batch, with shape (size, outputs, N).

        Args:
            x: The batch, samples last, with shape (size, inputs, N).
        """
        return self.weight @ x if self.bias is None else torch.baddbmm(self.bias, self.weight, x)
