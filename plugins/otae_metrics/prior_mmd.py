"""How far the codes are from the prior that they were matched to."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Generator, Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Missing, Specimen

from .bootstrap import interval
from .linear import vectors
from .order import canonical

_HALVES = 100


class PriorMMD(Metric):
    r"""Creates the squared maximum mean discrepancy between codes and prior, of the energy kernel.

    $$\mathrm{MMD}^2 = 2\, \mathbb{E}\|z - \tilde z\| - \mathbb{E}\|z - z'\| - \mathbb{E}\|\tilde z - \tilde z'\|$$

    The codes z are drawn from their laws, where the specimen has such draws: it is the aggregated posterior that a prior
    is matched to, not the means. The estimate is unbiased: where codes and prior have one law its mean is 0, and single
    values may be negative. The kernel $-\|z - z'\|$ has no length to choose, so that models with different priors are
    measured alike. The coefficient, without units, is the share

    $$\frac{\mathrm{MMD}^2}{2\, \mathbb{E}\|z - \tilde z\|}$$

    which is 0 for equal laws and 1 for two points apart.

    Figures: `coefficient`, which is left out where all codes and draws coincide, and `mmd`, in units of the codes. The
    intervals come from halves of the codes and of the draws. That the coefficient is small says little where codes have many
    dimensions: see `match`.

    Args:
        limit: The largest number of codes, and of draws from the prior, to look at, drawn by seed; memory and
            time grow with its square.

    References:
        Equivalence of Distance-Based and RKHS-Based Statistics in Hypothesis Testing (Sejdinovic et al., 2013)
        https://arxiv.org/abs/1207.6076

        Energy Statistics: A Class of Statistics Based on Distances (Székely and Rizzo, 2013)
        https://doi.org/10.1016/j.jspi.2013.03.018
    """

    headline = "coefficient"
    figures: ClassVar = {
        "coefficient": Figure(
            "codes against prior, MMD",
            "The share of the distance of codes and prior that their laws explain.",
            "lower",
            0.0,
        ),
        "mmd": Figure("squared MMD", "The energy distance of codes and prior, in units of the codes.", "lower", 0.0),
    }

    def __init__(self, limit: Annotated[int, Field(gt=1, le=100_000)] = 2_000) -> None:
        super().__init__()
        self.limit = limit

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the discrepancy of codes and prior, and its share of their distance.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If there is only one code or one draw.
        """
        drawn = specimen.codes if specimen.draws is None else specimen.draws
        codes, prior = (_some(cloud, self.limit, specimen.seed) for cloud in (drawn, specimen.prior))
        if min(len(codes), len(prior)) < 2:
            raise NotApplicableError("A discrepancy needs two codes and two draws of the prior. Judge more samples.")
        distances = [torch.cdist(x, y) for x, y in ((codes, prior), (codes, codes), (prior, prior))]
        generator = Generator().manual_seed(specimen.seed)
        whole = _energy(distances, torch.ones(1, len(codes)).double(), torch.ones(1, len(prior)).double())
        kept = _energy(distances, *(_half(len(cloud), generator) for cloud in (codes, prior)))
        mmd, between = (float(each) for each in whole)
        coefficient = (
            Missing("All codes and draws coincide.")
            if between <= 0
            else interval(mmd / between, (kept[0] / kept[1]).tolist())
        )
        return {"mmd": interval(mmd, kept[0].tolist()), "coefficient": coefficient}


def _energy(distances: list[Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the squared discrepancies of parts of two clouds, and twice the mean distances between them, with shape (K,).

    Args:
        distances: Those between the clouds, within the first, and within the second.
        x: 1 for each point of the first cloud that a part holds, else 0, with shape (K, N).
        y: The same of the second, with shape (K, M).
    """
    first, second = x.sum(1), y.sum(1)
    between = 2 * ((x @ distances[0]) * y).sum(1) / (first * second)
    within = [
        ((part @ matrix) * part).sum(1) / (size * (size - 1))
        for part, matrix, size in ((x, distances[1], first), (y, distances[2], second))
    ]
    return between - sum(within), between


def _half(size: int, generator: Generator) -> Tensor:
    parts = torch.zeros(_HALVES, size, dtype=torch.float64)
    for part in parts:
        part[torch.randperm(size, generator=generator)[: (size + 1) // 2]] = 1
    return parts


def _some(cloud: Tensor, limit: int, seed: int) -> Tensor:
    points = vectors(cloud)
    return points[canonical(points)][torch.randperm(len(points), generator=Generator().manual_seed(seed))[:limit]]
