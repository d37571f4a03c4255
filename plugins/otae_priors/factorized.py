"""The factorized neural prior: independent dimensions, each with a marginal of its own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor

from .pushforward import Pushforward
from .separate import Separate


class Factorized(Pushforward):
    r"""Creates a prior with independent, learned, non-Gaussian marginals; the meta-prior of disentanglement.

    $$z_k = \mathrm{BN}(\mathrm{MLP}_k(\varepsilon_k)), \qquad \varepsilon \sim \mathcal{N}(0, I_d)$$

    Each dimension has a network of its own that sees its own noise only. The law has no tractable density.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        width: The width of the hidden layers of each dimension's network.
        depth: The number of hidden layers.
        learn_scales: Whether the standard deviations of the dimensions are learned, with mean 1; all are 1 otherwise.
            Codes that keep the distances of the data vary more along some directions than along others.

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
        depth: Annotated[int, Field(gt=0, le=256)] = 3,
        learn_scales: bool = False,
    ) -> None:
        super().__init__(latent_dim, _Marginals(latent_dim, [1, *[width] * depth, 1]), learn_scales)


class _Marginals(Separate):
    """Creates the networks of the marginals, each of which sees one entry of the noise."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the draws that stem from the noise, with shape (N, size).

        Args:
            inputs: The noise, with shape (N, size).
        """
        return super().forward(inputs.T[:, None, :])  # (size, 1, N)
