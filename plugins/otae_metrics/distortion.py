"""How far distances between codes follow distances between data."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Missing, Specimen

from .pairs import matched, pair_interval


class Distortion(Metric):
    r"""Creates two measures of how the distances between codes follow those between data.

    The correlation is Pearson's, over all pairs. The distortion is what remains after the best scale, relative to the
    mean distance between data:

    $$\min_c \frac{\sum_{ij} |c\, \|z_i - z_j\| - \|x_i - x_j\||}{\sum_{ij} \|x_i - x_j\|}$$

    Both are taken of codes against data (what the encoder does), and of draws from the prior against the data
    generated from them (what the decoder does, on which a coupled Gromov-Wasserstein term acts). An isometry up to
    scale has correlation 1 and distortion 0; a map without any regard for distances has correlation 0.

    Figures: `correlation`, `distortion` and `scale`, the factor c, and the same with `generation_`. The intervals come from
    halves of the samples, that of the distortion at the best scale of all of them; the scale has none. A correlation is 0
    where one side has only one distance; a distortion is left out where all data coincide.

    Args:
        limit: The largest number of samples to look at, drawn by seed; memory and time grow with its square.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2022)
        https://arxiv.org/abs/2209.07007
    """

    headline = "correlation"
    figures: ClassVar = {
        "correlation": Figure(
            "correlation of distances", "How far distances of codes and of data grow with each other.", "higher", 1.0
        ),
        "distortion": Figure(
            "distortion of distances",
            "What remains of the distances of data after the codes' at the best scale, as a share.",
            "lower",
            0.0,
        ),
        "scale": Figure("scale", "The factor from distances of codes to those of data."),
        "generation_correlation": Figure(
            "correlation of distances, generations",
            "The same of draws from the prior and what they are decoded to.",
            "higher",
            1.0,
        ),
        "generation_distortion": Figure(
            "distortion of distances, generations",
            "The same of draws from the prior and what they are decoded to.",
            "lower",
            0.0,
        ),
        "generation_scale": Figure("scale, generations", "The factor from distances of draws to those of generations."),
    }

    def __init__(self, limit: Annotated[int, Field(gt=1, le=100_000)] = 1_000) -> None:
        super().__init__()
        self.limit = limit

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the correlation and the distortion, for the encoder and for the decoder.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If there is only one sample.
        """
        if min(len(specimen.data), len(specimen.prior)) < 2:
            raise NotApplicableError("Distances need two samples. Judge more of them.")
        encoder = self._figures(specimen.codes, specimen.data, specimen.seed)
        decoder = self._figures(specimen.prior, specimen.generations, specimen.seed)
        return encoder | {f"generation_{name}": value for name, value in decoder.items()}

    def _figures(self, codes: Tensor, data: Tensor, seed: int) -> dict[str, FigureValue]:
        latent, observed = (torch.cdist(cloud, cloud) for cloud in matched(codes, data, self.limit, seed))
        rows, columns = torch.triu_indices(len(latent), len(latent), offset=1)
        x, y = latent[rows, columns], observed[rows, columns]
        products = [latent, observed, latent * observed, latent.square(), observed.square()]
        figures: dict[str, FigureValue] = {
            "correlation": pair_interval(correlation(x, y), _correlations, products, seed)
        }
        if not y.any():
            reason = Missing("All samples coincide: there is no distance to keep.")
            return figures | {"distortion": reason, "scale": reason}
        scale = best_scale(x, y)
        gaps = (scale * latent - observed).abs()
        distortion = float((scale * x - y).abs().mean() / y.mean())
        shares = pair_interval(distortion, lambda means: means[:, 0] / means[:, 1], [gaps, observed], seed)
        return figures | {"distortion": shares, "scale": float(scale)}


def _correlations(means: Tensor) -> Tensor:
    """Returns Pearson's correlation from the means of x, y, xy, x² and y², NaN where one is constant, with shape (K,)."""
    x, y, xy, xx, yy = means.T
    variances = (xx - x * x) * (yy - y * y)
    return torch.where(variances > 0, (xy - x * y) / variances.clamp_min(1e-300).sqrt(), torch.nan)


def correlation(x: Tensor, y: Tensor) -> float:
    """Returns Pearson's correlation of two series, 0 where one of them is constant.

    Args:
        x: The first series, with shape (K,).
        y: The second series, with shape (K,).
    """
    x, y = (_standardised(series) for series in (x, y))
    return float((x @ y).clamp(-1, 1))


def best_scale(x: Tensor, y: Tensor) -> Tensor:
    r"""Returns the factor c that minimises $\sum_k |c x_k - y_k|$, a scalar: the median of y/x, weighted by x.

    Args:
        x: Non-negative values, with shape (K,); the factor is 0 where all are 0.
        y: The values to fit, with shape (K,).
    """
    positive = x > 0
    if not positive.any():
        return x.new_zeros(())
    ratios, order = (y[positive] / x[positive]).sort()
    masses = x[positive][order].cumsum(0)
    return ratios[torch.searchsorted(masses, masses[-1] / 2)]


def _standardised(series: Tensor) -> Tensor:
    deviations = series - series.mean()
    size = deviations.norm()
    constant = size <= 1e-12 * series.norm()  # nothing but rounding is left
    return torch.zeros_like(deviations) if constant else deviations / size
