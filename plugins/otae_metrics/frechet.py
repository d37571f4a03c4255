"""The Fréchet distance of the generations to the data, against that of a linear Gaussian model."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from otae.interfaces import Metric, Specimen

from .linear import Linear, compared, vectors
from .subset import subset


class Frechet(Metric):
    r"""Creates the (squared) Fréchet distance between Gaussians fitted to the generations and to the data.

    $$d^2 = \|\mu_x - \mu_y\|^2 + \mathrm{tr}\, A + \mathrm{tr}\, B - 2\, \mathrm{tr} \left(A^{1/2} B A^{1/2}\right)^{1/2}$$

    It compares means and covariances in the space of the data, without a pretrained network. The baseline draws equally
    many samples from the Gaussian of the codes of principal component analysis, fitted to the training samples at the
    model's latent dimension: a ratio below 1 is better than a linear Gaussian model. As the distance of finite samples
    is biased upwards, compare figures of equally many samples only.

    Figures: `distance`, `pca_distance`, and `ratio`, which is left out where the baseline is perfect.

    Args:
        limit: The largest number of samples of each cloud to look at, drawn by seed; time grows with the cube of the
            smaller of this and the data's dimension.

    References:
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium (Heusel et al., 2017)
        https://arxiv.org/abs/1706.08500

        The Fréchet Distance between Multivariate Normal Distributions (Dowson and Landau, 1982)
        https://doi.org/10.1016/0047-259X(82)90077-X
    """

    def __init__(self, limit: Annotated[int, Field(gt=1)] = 2_000) -> None:
        super().__init__()
        self.limit = limit

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        """Returns the distance, the baseline's, and their ratio.

        Args:
            specimen: The split and what the model makes of it.
        """
        seed = specimen.seed
        x, y = (vectors(cloud[subset(cloud, self.limit, seed)]) for cloud in (specimen.data, specimen.generations))
        linear = Linear(specimen.train, specimen.codes.shape[1]).sample(len(y), seed)
        return compared(
            "distance", frechet_distance(x, y), frechet_distance(x, linear), float(x.square().sum(1).mean())
        )


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


def _root(points: Tensor) -> Tensor:
    count, size = points.shape
    centred = (points - points.mean(0)) / math.sqrt(max(count - 1, 1))
    return torch.linalg.qr(centred, mode="r").R if count > size else centred  # (min(N, D), D)
