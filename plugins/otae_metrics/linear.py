"""The linear baseline: principal component analysis as an autoencoder with a Gaussian prior."""

from __future__ import annotations

import torch
from torch import Tensor

_NOISE = 1e-12  # a baseline's figure below this share of the data's scale is rounding


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

        points = vectors(train)
        self.pca = PCA(min(latent_dim, *points.shape), random_state=0).fit(points.numpy())

    def reconstruct(self, samples: Tensor) -> Tensor:
        """Returns the projections of samples, in double precision and with shape (N, D).

        Args:
            samples: The samples, with shape (N, …).
        """
        return torch.from_numpy(self.pca.inverse_transform(self.pca.transform(vectors(samples).numpy())))

    def sample(self, count: int, seed: int) -> Tensor:
        """Returns decoded draws from the Gaussian of the codes, in double precision and with shape (count, D).

        Args:
            count: The number of draws.
            seed: The seed they start from.
        """
        spreads = torch.from_numpy(self.pca.explained_variance_).sqrt()  # the codes are uncorrelated and centred
        noise = torch.randn(count, len(spreads), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        return torch.from_numpy(self.pca.inverse_transform((noise * spreads).numpy()))


def compared(name: str, value: float, baseline: float, scale: float) -> dict[str, float]:
    """Returns a figure, the linear baseline's, and their ratio, which is left out where the baseline is perfect.

    Args:
        name: The figure's name; the others are `pca_<name>` and `ratio`.
        value: The model's figure.
        baseline: The baseline's figure.
        scale: The size of the data in the figure's units, below whose rounding noise the baseline counts as 0.
    """
    figures = {name: value, f"pca_{name}": baseline}
    return figures | {"ratio": value / baseline} if baseline > _NOISE * scale else figures


def vectors(samples: Tensor) -> Tensor:
    """Returns samples as vectors in double precision, with shape (N, D).

    Args:
        samples: The samples, with shape (N, …).
    """
    return samples.detach().reshape(len(samples), -1).double()
