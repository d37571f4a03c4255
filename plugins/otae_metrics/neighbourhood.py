"""Whether codes keep neighbours: trustworthiness, continuity and the share of nearest neighbours preserved."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Specimen

from .bootstrap import bootstraps
from .pairs import matched


class Neighbourhood(Metric):
    r"""Creates trustworthiness, continuity and the share of nearest neighbours that codes preserve.

    $$T = 1 - \frac{2}{Nk(2N - 3k - 1)} \sum_i \sum_{j \in \mathcal{N}_z(i)} \max(0, r_x(i, j) - k)$$

    Here $\mathcal{N}_z(i)$ are the k nearest codes of code i, and $r_x(i, j)$ says that sample j is the $r_x$-th nearest of
    sample i. Trustworthiness T is low where codes are near whose samples are not; continuity, the same with codes and data
    exchanged, where samples are near whose codes are not. Both are 1 where all neighbours are kept. `preserved` is the mean
    share of the k nearest samples whose codes are among the k nearest; by chance it is k/(N-1).

    Figures: `trustworthiness`, `continuity` and `preserved`, with intervals by bootstrap of the samples whose neighbours
    are looked at.

    Args:
        neighbours: The number k of neighbours.
        limit: The largest number of samples to look at, drawn by seed; memory and time grow with its square.

    References:
        Local Multidimensional Scaling (Venna and Kaski, 2006)
        https://doi.org/10.1016/j.neunet.2006.05.014
    """

    headline = "trustworthiness"
    figures: ClassVar = {
        "trustworthiness": Figure(
            "trustworthiness", "How far the nearest codes belong to near samples, by their ranks.", "higher", 1.0
        ),
        "continuity": Figure(
            "continuity", "How far the nearest samples have near codes, by their ranks.", "higher", 1.0
        ),
        "preserved": Figure(
            "neighbours preserved", "The share of the nearest samples whose codes are nearest, too.", "higher", 1.0
        ),
    }

    def __init__(
        self,
        neighbours: Annotated[int, Field(gt=0, le=100_000)] = 10,
        limit: Annotated[int, Field(gt=2, le=100_000)] = 1_000,
    ) -> None:
        super().__init__()
        self.neighbours, self.limit = neighbours, limit

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the three figures.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If there are no more than twice as many samples as neighbours.
        """
        codes, data = matched(specimen.codes, specimen.data, self.limit, specimen.seed)
        k, count = self.neighbours, len(codes)
        if count <= 2 * k:
            raise NotApplicableError(
                f"Looking at {k} neighbours needs more than {2 * k} samples, and there are {count}. Judge more samples, or "
                "ask for fewer neighbours."
            )
        latent, observed = ranks(codes), ranks(data)
        factor = 2 / (k * (2 * count - 3 * k - 1))
        intrusions, extrusions = ((_excess(*pair, k) * factor) for pair in ((latent, observed), (observed, latent)))
        shares = ((latent <= k) & (observed <= k)).double().sum(1) / k - 1 / k  # a sample is no neighbour of its own
        found = bootstraps(_means, intrusions, extrusions, shares, seed=specimen.seed)
        return dict(found)


def ranks(points: Tensor) -> Tensor:
    """Returns the place of each point among the neighbours of each, 0 for itself, with shape (N, N).

    Args:
        points: The points, with shape (N, D).
    """
    distances = torch.cdist(points, points).fill_diagonal_(-1)
    return distances.argsort(dim=1, stable=True).argsort(dim=1)


def _excess(near: Tensor, other: Tensor, k: int) -> Tensor:
    """Returns by how much the other ranks of the k nearest exceed k, summed for each point, with shape (N,)."""
    return torch.where(near <= k, (other - k).clamp_min(0), 0).sum(1).double()


def _means(intrusions: Tensor, extrusions: Tensor, shares: Tensor) -> dict[str, float]:
    return {
        "trustworthiness": 1 - float(intrusions.mean()),
        "continuity": 1 - float(extrusions.mean()),
        "preserved": float(shares.mean()),
    }
