"""The linear baseline: principal component analysis as an autoencoder with a Gaussian prior."""

from __future__ import annotations

from functools import cached_property
from math import prod

import numpy as np
import torch
from torch import Tensor

from otae.errors import NotApplicableError

_SHARE = 1e-9  # of the data's variance: an error below it is that of a copy
_ROUNDING = 1e-12  # of the data's mean square, for data far from 0


class Linear:
    """Creates the linear autoencoder of least squared error, with the Gaussian of its codes as prior.

    Args:
        train: The samples to fit, with shape (T, …).
        latent_dim: The number of components; as many as the samples have where these have fewer.

    References:
        Probabilistic Principal Component Analysis (Tipping and Bishop, 1999)
        https://doi.org/10.1111/1467-9868.00196
    """

    def __init__(self, train: Tensor, latent_dim: int) -> None:
        from sklearn.decomposition import PCA  # two seconds that listing the metrics need not wait for

        self.points, self.latent_dim = vectors(train), latent_dim
        with np.errstate(invalid="ignore", divide="ignore"):  # ratios of variances of points that coincide
            self.pca = PCA(min(latent_dim, *self.points.shape), random_state=0).fit(self.points.numpy())

    @cached_property
    def degenerate(self) -> str | None:
        """Returns why the baseline says nothing, since it copies the data that it was fitted to; `None` where it does not."""
        kept = self.pca.n_components_
        rank = min(self.points.shape[1], len(self.points) - 1)
        if kept >= rank:
            return (
                f"The {self.latent_dim} latent dimensions reach the rank of the data, {rank}: PCA copies them exactly."
            )
        lost = (self.points - self.reconstruct(self.points)).square().mean()
        variance = self.points.var(0, correction=0).mean()
        if lost <= _SHARE * variance + _ROUNDING * self.points.square().mean():
            return f"The data lie in a linear space of {kept} dimensions or fewer: PCA copies them but for rounding."
        return None

    def encode(self, samples: Tensor) -> Tensor:
        """Returns the components of samples, in double precision and with shape (N, latent_dim).

        Args:
            samples: The samples, with shape (N, …).
        """
        return torch.from_numpy(self.pca.transform(vectors(samples).numpy()))

    def reconstruct(self, samples: Tensor) -> Tensor:
        """Returns the projections of samples, in double precision and with shape (N, D).

        Args:
            samples: The samples, with shape (N, …).
        """
        return torch.from_numpy(self.pca.inverse_transform(self.encode(samples).numpy()))

    def sample(self, count: int, seed: int) -> Tensor:
        """Returns decoded draws from the Gaussian of the codes, in double precision and with shape (count, D).

        Args:
            count: The number of draws.
            seed: The seed they start from.

        Raises:
            NotApplicableError: If the baseline was fitted to a single sample, which has no spread.
        """
        if len(self.points) < 2:
            raise NotApplicableError("The Gaussian of a linear baseline needs two training samples at least.")
        spreads = torch.from_numpy(self.pca.explained_variance_).sqrt()  # the codes are uncorrelated and centred
        noise = torch.randn(count, len(spreads), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        return torch.from_numpy(self.pca.inverse_transform((noise * spreads).numpy()))


def vectors(samples: Tensor) -> Tensor:
    """Returns samples as vectors in double precision, with shape (N, D).

    Args:
        samples: The samples, with shape (N, …).
    """
    return samples.detach().reshape(len(samples), prod(samples.shape[1:])).double()  # there may be no sample
