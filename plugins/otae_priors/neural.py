"""The neural prior: as free as its network."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field
from torch import nn

from .activations import LeakySiLU
from .pushforward import Pushforward


class Neural(Pushforward):
    r"""Creates a prior that a network makes of normal noise; the meta-prior of generation.

    $$z = \mathrm{BN}(\mathrm{MLP}(\varepsilon)), \qquad \varepsilon \sim \mathcal{N}(0, I_d)$$

    The batch normalisation fixes each dimension's mean and variance, so that no cost can shrink the codes. The law has
    no tractable density.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        width_factor: The width of the hidden layers, in units of latent_dim.
        depth: The number of hidden layers.
        learn_scales: Whether the standard deviations of the dimensions are learned, with mean 1; all are 1 otherwise.
            Codes that keep the distances of the data vary more along some directions than along others.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2023)
        https://arxiv.org/abs/2209.07007

    Examples:
        >>> tuple(Neural(latent_dim=2).sample(5).shape)
        (5, 2)
    """

    def __init__(
        self,
        latent_dim: int,
        width_factor: Annotated[int, Field(gt=0)] = 4,
        depth: Annotated[int, Field(gt=0, le=256)] = 3,
        learn_scales: bool = False,
    ) -> None:
        widths = [latent_dim, *[width_factor * latent_dim] * depth]
        hidden = [layer for n, m in pairwise(widths) for layer in (nn.Linear(n, m), LeakySiLU())]
        super().__init__(
            latent_dim, nn.Sequential(*hidden, nn.Linear(widths[-1], latent_dim, bias=False)), learn_scales
        )
