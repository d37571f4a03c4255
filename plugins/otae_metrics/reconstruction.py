"""The error of the reconstructions, against that of a linear autoencoder."""

from __future__ import annotations

from torch import Tensor

from otae.interfaces import Metric, Specimen

from .linear import Linear, compared, vectors


class Reconstruction(Metric):
    r"""Creates the mean squared error of the reconstructions, and its ratio to that of principal component analysis.

    $$\mathrm{mse} = \frac{1}{ND} \sum_{i=1}^N \|x_i - \hat x_i\|^2$$

    The baseline has the model's latent dimension and is fitted to the training samples: a ratio below 1 is what a
    nonlinear autoencoder gains over the best linear one.

    Figures: `mse`, `pca_mse`, and `ratio`, which is left out where the baseline is perfect, as when the latent
    dimension reaches the data's.

    Examples:
        >>> sorted(otae.metrics.create("reconstruction")(specimen))  # doctest: +SKIP
        ['mse', 'pca_mse', 'ratio']
    """

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        """Returns the error, the baseline's, and their ratio.

        Args:
            specimen: The split and what the model makes of it.
        """
        x = vectors(specimen.data)
        linear = Linear(specimen.train, specimen.codes.shape[1])
        error = mean_squared_error(x, vectors(specimen.reconstructions))
        baseline = mean_squared_error(x, linear.reconstruct(x))
        return compared("mse", error, baseline, float(x.square().mean()))


def mean_squared_error(x: Tensor, y: Tensor) -> float:
    """Returns the mean over all entries of the squared difference.

    Args:
        x: The points, with shape (N, D).
        y: Their approximations, with shape (N, D).
    """
    return float((x - y).square().mean())
