"""Whether codes keep the order of distances: of two samples, which is nearer to a third."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Generator, Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Estimate, Figure, FigureValue, Metric, Missing, Specimen

from .bootstrap import interval
from .pairs import matched

_HALVES = 100


class Triplets(Metric):
    r"""Creates the share of triplets of samples whose distances have the same order among codes as among data.

    $$\Pr\big[ \|z_i - z_j\| < \|z_i - z_k\| \iff \|x_i - x_j\| < \|x_i - x_k\| \big]$$

    It is 1 where every order is kept, as by any map under which distances grow with each other, and 1/2 where codes have
    no regard for it; a tie on one side counts 1/2. Distances need no scale, so it compares spaces of any units.

    Figures: `agreement`, of codes and data, and `generation_agreement`, of draws from the prior and what they are decoded
    to. The intervals come from halves of the samples. A figure is left out where one side has no order: fewer than three
    samples, or only one distance.

    Args:
        limit: The largest number of samples to look at; memory and time grow with its square.
        triplets: The number of triplets, drawn by seed.

    References:
        Visualizing Data using Ordinal Embedding: Generalized Non-metric Multidimensional Scaling (Agarwal et al., 2007)
        https://proceedings.mlr.press/v2/agarwal07a.html
    """

    headline = "agreement"
    figures: ClassVar = {
        "agreement": Figure(
            "triplet order",
            "How often codes agree with data on which of two samples is nearer to a third.",
            "higher",
            1.0,
        ),
        "generation_agreement": Figure(
            "triplet order, generations",
            "The same of draws from the prior and what they are decoded to.",
            "higher",
            1.0,
        ),
    }

    def __init__(
        self,
        limit: Annotated[int, Field(gt=2, le=100_000)] = 1_000,
        triplets: Annotated[int, Field(gt=0, le=10_000_000)] = 50_000,
    ) -> None:
        super().__init__()
        self.limit, self.triplets = limit, triplets

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the agreement of codes and data, and of prior and generations.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If there are fewer than three samples.
        """
        if min(len(specimen.data), len(specimen.prior)) < 3:
            raise NotApplicableError("An order of distances needs three samples. Judge more of them.")
        return {
            "agreement": self._agreement(specimen.codes, specimen.data, specimen.seed),
            "generation_agreement": self._agreement(specimen.prior, specimen.generations, specimen.seed),
        }

    def _agreement(self, codes: Tensor, data: Tensor, seed: int) -> FigureValue:
        latent, observed = (torch.cdist(cloud, cloud) for cloud in matched(codes, data, self.limit, seed))
        generator = Generator().manual_seed(seed)
        i, j, k = draw_triplets(len(latent), self.triplets, generator)
        orders = [_order(distances, i, j, k) for distances in (latent, observed)]
        if not all(order.any() for order in orders):
            return Missing("All distances of one side are equal: there is no order to keep.")
        scores = (1 + orders[0] * orders[1]) / 2
        return _spread(scores, torch.stack([i, j, k]), len(latent), generator)


def draw_triplets(size: int, count: int, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Returns triplets of three different indices, each with shape (count,).

    Args:
        size: The number of samples, at least 3.
        count: The number of triplets.
        generator: The source of randomness.
    """
    i = torch.randint(size, (count,), generator=generator)
    first = torch.randint(1, size, (count,), generator=generator)
    second = torch.randint(1, size - 1, (count,), generator=generator)
    second = second + (second >= first)
    return i, (i + first) % size, (i + second) % size


def _order(distances: Tensor, i: Tensor, j: Tensor, k: Tensor) -> Tensor:
    gaps, scale = distances[i, k] - distances[i, j], distances.max()
    return torch.where(gaps.abs() <= 1e-9 * scale, 0.0, gaps.sign())  # equal but for rounding


def _spread(scores: Tensor, triplets: Tensor, size: int, generator: Generator) -> Estimate:
    """Returns the mean score, with the interval that halves of the samples span, of each the triplets within."""
    means = []
    for _ in range(_HALVES):
        kept = torch.zeros(size, dtype=torch.bool)
        kept[torch.randperm(size, generator=generator)[: (size + 1) // 2]] = True
        means.append(float(scores[kept[triplets].all(0)].mean()))
    return interval(float(scores.mean()), means)
