"""The Fréchet distance of the generations to the data, against that of a linear Gaussian model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.interfaces import Estimate, Figure, FigureValue, Metric, Missing, Specimen

from .arrangement import arrange
from .features import Extraction, FeatureName
from .linear import Linear
from .subset import subset

_QUANTILE = 1.959963984540054  # of the normal law, at 97.5 %


class Frechet(Metric):
    r"""Creates the (squared) Fréchet distance between Gaussians fitted to the generations and to the data.

    $$d^2 = \|\mu_x - \mu_y\|^2 + \mathrm{tr}\, A + \mathrm{tr}\, B - 2\, \mathrm{tr} \left(A^{1/2} B A^{1/2}\right)^{1/2}$$

    It compares means and covariances, of the samples themselves or of features of them. The baseline draws equally many
    samples from the Gaussian of the codes of principal component analysis, fitted to the training samples at the model's
    latent dimension: a ratio below 1 is better than a linear Gaussian model.

    The distance of finite samples is biased upwards by about c/n: compare figures of equally many samples only, or
    `extrapolated`, which takes the first order of the bias away by the distances of the halves,
    $2\, d^2_n - \tfrac12 (d^2_{n/2} + d'^2_{n/2})$, and may be negative. The intervals are asymptotic, from the distance's
    derivative at each sample; that of the ratio holds the baseline. They do not cover the bias.

    Figures: `ratio`, `distance`, `extrapolated` and `pca_distance`. Where the latent dimension reaches the rank of the
    data, or they lie in a linear space of that dimension, PCA's Gaussian has their covariance and its distance is chance:
    `pca_distance` and `ratio` are then missing.

    Args:
        limit: The largest number of samples of each cloud to look at, drawn by seed; time grows with the cube of the
            smaller of this and the number of features.
        features: Where the clouds are compared: `pixels` for the entries of samples as they are, `pca` for at most 64
            principal components, `classifier` for the hidden layer of a network trained on the labels.
        module: The name of a module of one's own that gives the features instead, offered under the entry-point group
            `otae_networks.modules`, as for the encoder `pretrained`.
        weights: A safetensors file with the module's state.

    References:
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium (Heusel et al., 2017)
        https://arxiv.org/abs/1706.08500

        The Fréchet Distance between Multivariate Normal Distributions (Dowson and Landau, 1982)
        https://doi.org/10.1016/0047-259X(82)90077-X

        Effectively Unbiased FID and Inception Score and where to find them (Chong and Forsyth, 2020)
        https://arxiv.org/abs/1911.07023
    """

    headline = "ratio"
    figures: ClassVar[Mapping[str, Figure]] = {
        "ratio": Figure(
            "Fréchet distance, of PCA's",
            "Fréchet distance of generations to data, divided by that of a linear Gaussian model of the same latent dimension",
            "lower",
            0.0,
        ),
        "distance": Figure("Fréchet distance", "squared Fréchet distance of generations to data", "lower", 0.0),
        "extrapolated": Figure(
            "Fréchet distance, bias removed", "the distance extrapolated to infinitely many samples", "lower", 0.0
        ),
        "pca_distance": Figure("Fréchet distance of PCA", "that of as many draws from a linear Gaussian model"),
    }

    def __init__(
        self,
        limit: Annotated[int, Field(gt=1, le=100_000)] = 2_000,
        features: FeatureName = "pixels",
        module: str | None = None,
        weights: str | None = None,
    ) -> None:
        super().__init__()
        self.limit = limit
        self.extraction = Extraction(features, module, weights)

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the distance, the baseline's, and their ratio.

        Args:
            specimen: The split and what the model makes of it.
        """
        seed, extract = specimen.seed, self.extraction(specimen)
        data, generated = (cloud[subset(cloud, self.limit, seed)] for cloud in (specimen.data, specimen.generations))
        x, y = extract(data), extract(generated)
        distance = frechet_estimate(x, y)
        figures: dict[str, FigureValue] = {"distance": distance, "extrapolated": _extrapolated(x, y, distance, seed)}
        linear = Linear(specimen.train.data, specimen.codes.shape[1])
        if (reason := linear.degenerate) is not None:
            return figures | {"pca_distance": Missing(reason), "ratio": Missing(reason)}
        drawn = linear.sample(len(y), seed).reshape(len(y), *data.shape[1:]).to(data.dtype)
        baseline = frechet_distance(x, extract(drawn))
        if not baseline > 1e-12 * float(x.square().sum(1).mean()):
            reason = "The linear Gaussian model has the mean and the covariance of the data: nothing can be better."
            return figures | {"pca_distance": Missing(reason), "ratio": Missing(reason)}
        ratio = Estimate(distance / baseline, distance.low / baseline, distance.high / baseline)
        return figures | {"pca_distance": baseline, "ratio": ratio}


def frechet_distance(x: Tensor, y: Tensor) -> float:
    r"""Returns the squared Fréchet distance between the Gaussians of two clouds, also where a covariance is singular.

    With roots $A = R^\top R$ and $B = S^\top S$, the last trace is the sum of the singular values of $R S^\top$, so that
    no covariance is ever formed or squared: rounding stays at the precision of the points.

    Args:
        x: The first points, with shape (N, D), in double precision.
        y: The second points, with shape (M, D), in double precision.

    Examples:
        >>> frechet_distance(torch.tensor([[-1.0], [1.0]]), torch.tensor([[2.0], [4.0]]))
        9.0
    """
    r, s = _root(x), _root(y)
    shift = (x.mean(0) - y.mean(0)).square().sum()
    overlap = torch.linalg.svdvals(r @ s.T).sum()
    return float((shift + r.square().sum() + s.square().sum() - 2 * overlap).clamp_min(0))


def frechet_estimate(x: Tensor, y: Tensor) -> Estimate:
    r"""Returns the squared Fréchet distance with its asymptotic interval.

    The derivative in the direction of a sample u of the first cloud, with T the optimal map between the Gaussians, is

    $$2 \langle \mu_x - \mu_y, u - \mu_x \rangle + (u - \mu_x)^\top (I - T) (u - \mu_x)$$

    up to a constant, and likewise for the second; the variances of the two, over the numbers of samples, add up.

    Args:
        x: The first points, with shape (N, D), in double precision.
        y: The second points, with shape (M, D), in double precision.
    """
    if min(len(x), len(y)) < 2:
        value = frechet_distance(x, y)
        return Estimate(value, value, value)
    (q, r), (p, s) = _factored(x), _factored(y)
    left, overlaps, right = torch.linalg.svd(r @ s.T, full_matrices=False)
    shift = x.mean(0) - y.mean(0)
    squared = shift.square().sum() + r.square().sum() + s.square().sum() - 2 * overlaps.sum()
    value = float(squared.clamp_min(0))
    variance = 0.0
    for cloud, axes, sign in ((x, q @ left, 1), (y, p @ right.T, -1)):
        centred = cloud - cloud.mean(0)
        turned = (len(cloud) - 1) * (axes.square() @ overlaps)  # uᵀ T u of each sample u
        slopes = 2 * sign * centred @ shift + centred.square().sum(1) - turned
        variance += float(slopes.var()) / len(cloud)
    half = _QUANTILE * math.sqrt(variance)
    return Estimate(value, max(value - half, 0.0), value + half)


def _extrapolated(x: Tensor, y: Tensor, whole: Estimate, seed: int) -> FigureValue:
    count = min(len(x), len(y))
    if count < 8:
        return Missing(f"There are {count} samples, and halves of fewer than 4 say nothing of the bias.")
    halves = zip(*(_halves(cloud, seed) for cloud in (x, y)), strict=True)
    value = 2 * whole - sum(frechet_distance(a, b) for a, b in halves) / 2
    return Estimate(value, value + whole.low - whole, value + whole.high - whole)


def _halves(cloud: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Returns two halves of a cloud, which do not depend on the order of its points."""
    order = arrange(cloud, seed)
    return cloud[order[::2]], cloud[order[1::2]]


def _factored(points: Tensor) -> tuple[Tensor, Tensor]:
    """Returns Q, with orthonormal columns, and R, whose product is the root of the covariance: the centred points, scaled."""
    centred = _centred(points)
    count, size = points.shape
    q, r = torch.linalg.qr(centred) if count > size else (torch.eye(count, dtype=points.dtype), centred)
    return q, r


def _root(points: Tensor) -> Tensor:
    centred = _centred(points)
    count, size = points.shape
    return torch.linalg.qr(centred, mode="r").R if count > size else centred  # (min(N, D), D)


def _centred(points: Tensor) -> Tensor:
    return (points - points.mean(0)) / math.sqrt(max(len(points) - 1, 1))
