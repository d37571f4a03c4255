"""The empirical prior: a density fitted to the codes of the training data, once training is over."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor
from torch.distributions import MixtureSameFamily

from otae.interfaces import Prior

from .estimates import ESTIMATES
from .gaussians import Gaussians


class Empirical(Prior):
    r"""Creates a prior that is fitted to the codes after training, to sample from an autoencoder that has none to match.

    $$\pi = \sum_k w_k \, \mathcal{N}(m_k, s_k^2 R_k R_k^\top)$$

    - `gaussian`: one Gaussian with the mean and covariance of the codes.
    - `mixture`: K Gaussians by expectation maximisation; the prior then has components.
    - `neighbours`: a Gaussian around each code, of variance $r^2 / d$ where r is the distance to its k-th neighbour: wide where
      codes are rare, narrow where they are dense.

    Until it is fitted it is the standard normal law, and so it is in training: name the cloud `prior` in no term of the
    objective, unless the codes are to look standard normal anyhow.

    Args:
        latent_dim: The number of entries of a code; handed in by the builder.
        method: How the density is estimated.
        components: The number of Gaussians K, for `mixture`.
        neighbours: The number k of the neighbour that sets the width, for `neighbours`.
        limit: The largest number of codes kept, drawn at random where there are more, for `neighbours`.

    References:
        From Variational to Deterministic Autoencoders (Ghosh et al., 2020)
        https://arxiv.org/abs/1903.12436

        Variable Kernel Estimates of Multivariate Densities (Breiman, Meisel, Purcell, 1977)
        https://doi.org/10.1080/00401706.1977.10489521

    Examples:
        >>> prior = Empirical(latent_dim=2)
        >>> prior.fit(torch.randn(1000, 2, generator=Generator().manual_seed(0)) + 5)
        >>> prior.sample(1000, Generator().manual_seed(1)).mean().round().item()
        5.0
    """

    fits_codes: ClassVar[bool] = True
    logits: Tensor
    means: Tensor
    scales: Tensor
    roots: Tensor

    def __init__(
        self,
        latent_dim: int,
        method: Literal["gaussian", "mixture", "neighbours"] = "mixture",
        components: Annotated[int, Field(gt=0)] = 10,
        neighbours: Annotated[int, Field(gt=0)] = 5,
        limit: Annotated[int, Field(gt=1)] = 5000,
    ) -> None:
        super().__init__(latent_dim)
        self.estimate = ESTIMATES[method](components=components, neighbours=neighbours, limit=limit)
        self.register_buffer("logits", torch.zeros(1))
        self.register_buffer("means", torch.zeros(1, latent_dim))
        self.register_buffer("scales", torch.ones(1))
        self.register_buffer("roots", torch.eye(latent_dim)[None])

    def fit(self, codes: Tensor) -> None:
        """Fits the density to codes, in place.

        Args:
            codes: The codes of the training data, with shape (N, latent_dim).

        Raises:
            CloudError: If there are too few codes for the method's options.
        """
        found = self.estimate(codes.detach().double().cpu())
        for name in ("logits", "means", "scales", "roots"):
            setattr(self, name, getattr(found, name).to(self._anchor))

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        noise, uniform = (
            self.normal(count, self.latent_dim, generator=generator),
            self.uniform(count, generator=generator),
        )
        k = torch.searchsorted(self.logits.softmax(0).cumsum(0), uniform).clamp_max(len(self.logits) - 1)
        roots = self.roots.expand(len(self.logits), -1, -1)[k]
        return self.means[k] + self.scales[k, None] * torch.einsum("nde,ne->nd", roots, noise)

    @property
    def components(self) -> Gaussians | None:
        """Returns the Gaussians of a mixture, `None` with the other methods."""
        return self._gaussians() if self.estimate.has_components else None

    @property
    def law(self) -> MixtureSameFamily:
        """Returns the fitted density."""
        return self._gaussians().law

    def _gaussians(self) -> Gaussians:
        return Gaussians(self, self.logits, self.means, self.scales[:, None, None] * self.roots)

    def extra_repr(self) -> str:
        return f"estimate={self.estimate}"
