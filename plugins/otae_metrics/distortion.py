"""How far distances between codes follow distances between data."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from otae.interfaces import Metric, Specimen

from .linear import vectors
from .subset import subset


class Distortion(Metric):
    r"""Creates two measures of how the distances between codes follow those between data.

    The correlation is Pearson's, over all pairs. The distortion is what remains after the best scale, relative to the
    mean distance between data:

    $$\min_c \frac{\sum_{ij} |c\, \|z_i - z_j\| - \|x_i - x_j\||}{\sum_{ij} \|x_i - x_j\|}$$

    Both are taken of codes against data (what the encoder does), and of draws from the prior against the data
    generated from them (what the decoder does, on which a coupled Gromov-Wasserstein term acts). An isometry up to
    scale has correlation 1 and distortion 0; a map without any regard for distances has correlation 0.

    Figures: `correlation`, `distortion`, `generation_correlation`, `generation_distortion`. A correlation is 0 where
    one side has only one distance; a distortion is left out where all data coincide, and so is a pair of figures where
    there is only one sample.

    Args:
        limit: The largest number of samples to look at, drawn by seed; memory and time grow with its square.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2022)
        https://arxiv.org/abs/2209.07007
    """

    def __init__(self, limit: Annotated[int, Field(gt=1)] = 1_000) -> None:
        super().__init__()
        self.limit = limit

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        """Returns the correlation and the distortion, for the encoder and for the decoder.

        Args:
            specimen: The split and what the model makes of it.
        """
        encoder = self._figures(specimen.codes, specimen.data, specimen.seed)
        decoder = self._figures(specimen.prior, specimen.generations, specimen.seed)
        return encoder | {f"generation_{name}": value for name, value in decoder.items()}

    def _figures(self, codes: Tensor, data: Tensor, seed: int) -> dict[str, float]:
        chosen = subset(codes, self.limit, seed)
        if len(chosen) < 2:
            return {}
        latent, observed = (torch.pdist(vectors(cloud[chosen])) for cloud in (codes, data))
        figures = {"correlation": correlation(latent, observed)}
        if not observed.any():
            return figures
        gaps = best_scale(latent, observed) * latent - observed
        return figures | {"distortion": float(gaps.abs().mean() / observed.mean())}


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
