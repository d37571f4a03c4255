"""The Dirichlet prior: codes that are proportions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Generator, Tensor

from otae.interfaces import Prior

from .gamma import gamma


class Dirichlet(Prior):
    r"""Creates the symmetric Dirichlet prior, on codes that are proportions: positive entries of sum 1.

    $$z_k = g_k \Big/ \sum_l g_l, \quad g_k \sim \Gamma(\alpha), \qquad
    \mathbb{E} z_k = \tfrac1d, \quad \operatorname{Var} z_k = \frac{d - 1}{d^2 (d \alpha + 1)}$$

    The law has a density on the simplex, but none on $\mathbb{R}^d$: the simplex is a flat piece of one dimension less, of
    volume zero. `law` is therefore `None`. Compare codes with its samples, by MMD or a Wasserstein cost, not by KL, which
    would be infinite for any codes of a Gaussian encoder.

    Below 1, the concentration draws codes to the corners, where few entries count; above 1, to the centre. Draws are
    made in logarithms, $g_k = g'_k \, u_k^{1/\alpha}$ with $g'_k \sim \Gamma(\alpha + 1)$, so that they stay finite at small
    concentrations, where all g of a code may be below the smallest number.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        concentration: The concentration α of every entry.

    References:
        Topic Modeling with Wasserstein Autoencoders (Nan et al., 2019)
        https://arxiv.org/abs/1907.12374

    Examples:
        >>> Dirichlet(latent_dim=3).sample(2).sum(1).round(decimals=4).tolist()
        [1.0, 1.0]
    """

    def __init__(self, latent_dim: int, concentration: Annotated[float, Field(gt=0)] = 1.0) -> None:
        super().__init__(latent_dim)
        self.concentration = concentration

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        shape = (count, self.latent_dim)
        lifted = gamma(self._anchor.new_full(shape, self.concentration + 1), generator)
        shares = 1 - self.uniform(*shape, generator=generator)  # in (0, 1]
        return (lifted.log() + shares.log() / self.concentration).softmax(1)

    def extra_repr(self) -> str:
        return f"concentration={self.concentration:g}"
