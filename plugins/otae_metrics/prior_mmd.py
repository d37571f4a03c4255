"""How far the codes are from the prior that they were matched to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor

from otae.interfaces import Metric, Specimen
from otae.reductions import Squares, kernel_mean, safe_sqrt

from .linear import vectors
from .subset import subset


class PriorMMD(Metric):
    r"""Creates the squared maximum mean discrepancy between codes and prior, of the energy kernel.

    $$\mathrm{MMD}^2 = 2\, \mathbb{E}\|z - \tilde z\| - \mathbb{E}\|z - z'\| - \mathbb{E}\|\tilde z - \tilde z'\|$$

    The codes z are drawn from their laws, where the specimen has such draws: it is the aggregated posterior that a prior
    is matched to, not the means. The estimate is unbiased: where codes and prior have one law its mean is 0, and single
    values may be negative. The kernel $-\|z - z'\|$ has no length to choose, so that models with different priors are
    measured alike. The coefficient, without units, is the share

    $$\frac{\mathrm{MMD}^2}{2\, \mathbb{E}\|z - \tilde z\|}$$

    which is 0 for equal laws and 1 for two points apart.

    Figures: `mmd`, in units of the codes, and `coefficient`, which is left out where all codes and draws coincide. Both are
    left out where there is only one code or one draw.

    Args:
        limit: The largest number of codes, and of draws from the prior, to look at, drawn by seed; time grows with its
            square.

    References:
        Equivalence of Distance-Based and RKHS-Based Statistics in Hypothesis Testing (Sejdinovic et al., 2013)
        https://arxiv.org/abs/1207.6076

        Energy Statistics: A Class of Statistics Based on Distances (Székely and Rizzo, 2013)
        https://doi.org/10.1016/j.jspi.2013.03.018
    """

    def __init__(self, limit: Annotated[int, Field(gt=1)] = 5_000) -> None:
        super().__init__()
        self.limit = limit

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        """Returns the discrepancy of codes and prior, and its share of their distance.

        Args:
            specimen: The split and what the model makes of it.
        """
        drawn = specimen.codes if specimen.draws is None else specimen.draws
        codes, prior = (vectors(cloud[subset(cloud, self.limit, specimen.seed)]) for cloud in (drawn, specimen.prior))
        if min(len(codes), len(prior)) < 2:
            return {}
        between = 2 * _distance(codes, prior)
        mmd = between - sum(_distance(cloud, cloud) * len(cloud) / (len(cloud) - 1) for cloud in (codes, prior))
        return {"mmd": mmd, "coefficient": mmd / between} if between > 0 else {"mmd": mmd}


def _distance(x: Tensor, y: Tensor) -> float:
    a, b = (cloud.new_full((len(cloud),), 1 / len(cloud)) for cloud in (x, y))
    return float(kernel_mean(safe_sqrt, Squares(x, y), a, b, "dense"))
