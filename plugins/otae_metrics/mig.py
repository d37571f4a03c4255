"""The mutual information gap: by how much the best code of a factor tells more about it than the second."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.interfaces import Figure, FigureValue, Metric, Specimen

from .bootstrap import bootstrap
from .mutual_information import discretize, entropies, mutual_information
from .representation import Codes, represent


class MIG(Metric):
    r"""Creates the mutual information gap of codes and factors.

    $$\mathrm{MIG} = \frac{1}{F} \sum_f \frac{I(f; z_{(1)}) - I(f; z_{(2)})}{H(f)}$$

    Here $z_{(1)}$ and $z_{(2)}$ are the two dimensions of the code with the most information on the factor f. It is 1
    where each factor is told by one dimension alone, and about 0 where several tell as much, as after a rotation. The
    information is counted in bins of equal width of each dimension. With one dimension, the second tells nothing.

    Figures: `mig`, with an interval by bootstrap, and the table `information`, $I(f; z_d) / H(f)$.

    Args:
        codes: Whether to look at the means of the codes' laws, or at one draw from each.
        bins: The number of bins of each dimension of the codes.
        factor_bins: The number of classes of a factor that may take any value of an interval.

    References:
        Isolating Sources of Disentanglement in Variational Autoencoders (Chen et al., 2018)
        https://arxiv.org/abs/1802.04942

        Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (Locatello et al., 2019)
        https://arxiv.org/abs/1811.12359
    """

    headline = "mig"
    figures: ClassVar = {
        "mig": Figure(
            "mutual information gap",
            "How much more the best dimension tells of a factor than the second, as a share of the factor's entropy.",
            "higher",
            1.0,
        ),
        "information": Figure("information", "The share of each factor's entropy that each dimension tells."),
    }
    needs_factors = True

    def __init__(
        self,
        codes: Codes = "means",
        bins: Annotated[int, Field(gt=1, le=10_000)] = 20,
        factor_bins: Annotated[int, Field(gt=1, le=10_000)] = 10,
    ) -> None:
        super().__init__()
        self.codes, self.bins, self.factor_bins = codes, bins, factor_bins

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the gap and the table of information.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If no factor varies, or draws are asked for and there are none.
        """
        found = represent(specimen, self.codes, self.factor_bins)
        classes = discretize(found.codes, self.bins)
        shares = mutual_information(classes, found.classes) / entropies(found.classes)[:, None]
        return {
            "mig": bootstrap(information_gap, classes, found.classes, seed=specimen.seed, count=100),
            "information": found.table(shares, "information on each factor, of its entropy"),
        }


def information_gap(codes: Tensor, factors: Tensor) -> float:
    """Returns the mean over factors of the gap between the two most informative codes, by the factor's entropy.

    Args:
        codes: The classes of the codes, with shape (N, D).
        factors: The classes of the factors, with shape (N, F).
    """
    return float((top_gap(mutual_information(codes, factors)) / entropies(factors)).mean())


def top_gap(scores: Tensor) -> Tensor:
    """Returns the largest less the second largest score of each row, which is 0 where there is but one, with shape (F,).

    Args:
        scores: Non-negative scores, with shape (F, D).
    """
    best = torch.cat([scores, scores.new_zeros(len(scores), 1)], dim=1).topk(2, dim=1).values
    return best[:, 0] - best[:, 1]
