"""The error of the reconstructions, against that of a linear autoencoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from otae.interfaces import Figure, FigureValue, Metric, Missing, Specimen

from .bootstrap import bootstrap, bootstraps
from .linear import Linear, vectors


class Reconstruction(Metric):
    r"""Creates the mean squared error of the reconstructions, and its ratio to that of principal component analysis.

    $$\mathrm{mse} = \frac{1}{ND} \sum_{i=1}^N \|x_i - \hat x_i\|^2$$

    The baseline has the model's latent dimension and is fitted to the training samples: a ratio below 1 is what a
    nonlinear autoencoder gains over the best linear one. Intervals are those of the bootstrap over the samples, model and
    baseline held.

    Figures: `ratio`, `mse` and `pca_mse`. Where the baseline copies the data, since the latent dimension reaches their
    rank or they lie in a linear space of that dimension, its error is rounding: `pca_mse` and `ratio` are then missing.

    References:
        On Lines and Planes of Closest Fit to Systems of Points in Space (Pearson, 1901)
        https://doi.org/10.1080/14786440109462720

    Examples:
        >>> sorted(otae.metrics.create("reconstruction")(specimen))  # doctest: +SKIP
        ['mse', 'pca_mse', 'ratio']
    """

    headline = "ratio"
    figures: ClassVar[Mapping[str, Figure]] = {
        "ratio": Figure(
            "reconstruction error, of PCA's",
            "mean squared error of the reconstructions, divided by that of PCA with as many components as latent dimensions",
            "lower",
            0.0,
        ),
        "mse": Figure("reconstruction error", "mean over samples and entries of the squared error", "lower", 0.0),
        "pca_mse": Figure("reconstruction error of PCA", "the same error of PCA, fitted to the training samples"),
    }

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the error, the baseline's, and their ratio.

        Args:
            specimen: The split and what the model makes of it.
        """
        x = vectors(specimen.data)
        linear = Linear(specimen.train.data, specimen.codes.shape[1])
        errors = squared_errors(x, vectors(specimen.reconstructions))
        if (reason := linear.degenerate) is not None:
            mse = bootstrap(lambda each: float(each.mean()), errors, seed=specimen.seed)
            return {"mse": mse, "pca_mse": Missing(reason), "ratio": Missing(reason)}
        figures = bootstraps(_figures, errors, squared_errors(x, linear.reconstruct(x)), seed=specimen.seed)
        if not figures["pca_mse"] > 0:
            reason = "PCA copies the samples of this split exactly."
            return {"mse": figures["mse"], "pca_mse": Missing(reason), "ratio": Missing(reason)}
        return dict(figures)


def squared_errors(x: Tensor, y: Tensor) -> Tensor:
    """Returns the mean over a sample's entries of the squared difference, with shape (N,).

    Args:
        x: The points, with shape (N, D).
        y: Their approximations, with shape (N, D).
    """
    return (x - y).square().mean(1)


def _figures(errors: Tensor, baseline: Tensor) -> dict[str, float]:
    mse, pca = float(errors.mean()), float(baseline.mean())
    return {"mse": mse, "pca_mse": pca, "ratio": mse / pca if pca > 0 else float("nan")}
