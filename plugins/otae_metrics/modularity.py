"""Modularity, whether each code tells of one factor only, and explicitness, whether codes tell of factors linearly."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Missing, Specimen

from .bootstrap import bootstrap
from .explicitness import explicitness
from .held_out import held_out
from .mutual_information import discretize, mutual_information
from .representation import Codes, Representation, represent, represent_all


class Modularity(Metric):
    r"""Creates modularity and explicitness of the codes.

    $$\frac{1}{D} \sum_d \left( 1 - \frac{\sum_f I_{fd}^2 - \max_f I_{fd}^2}{(F - 1) \max_f I_{fd}^2} \right)$$

    with the mutual information $I_{fd}$ of factor f and dimension d, counted in bins. It is 1 where each dimension tells
    of one factor only, also where several tell of the same; a dimension that tells nothing counts as 0. Explicitness is
    the area under the ROC curve of a logistic regression that tells each class of a factor from its other classes, fitted
    to the codes of training samples and judged on the split, meaned over classes and factors: 1 where factors can be read
    off linearly, 0.5 where not at all.

    Figures: `modularity` and `explicitness`, with intervals by bootstrap; modularity is left out where only one factor
    varies.

    Args:
        codes: Whether to look at the means of the codes' laws, or at one draw from each.
        bins: The number of bins of each dimension of the codes.
        factor_bins: The number of classes of a factor that may take any value of an interval.

    References:
        Learning Deep Disentangled Embeddings with the F-Statistic Loss (Ridgeway and Mozer, 2018)
        https://arxiv.org/abs/1802.05312
    """

    headline = "modularity"
    figures: ClassVar = {
        "modularity": Figure("modularity", "How far each dimension tells of one factor only.", "higher", 1.0),
        "explicitness": Figure(
            "explicitness",
            "The area under the ROC curve of each class of each factor, by a linear model.",
            "higher",
            1.0,
        ),
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
        """Returns modularity and explicitness.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If no factor varies, or draws are asked for and there are none.
        """
        found = represent(specimen, self.codes, self.factor_bins)
        return {"modularity": self._modularity(found, specimen.seed), "explicitness": self._explicitness(specimen)}

    def _modularity(self, found: Representation, seed: int) -> FigureValue:
        if len(found.kinds) < 2:
            return Missing(f"Only the factor {found.names[0]} varies: there is no other that a code could tell of.")
        classes = discretize(found.codes, self.bins)
        return bootstrap(
            lambda codes, factors: modularity(mutual_information(codes, factors)),
            classes,
            found.classes,
            seed=seed,
            count=100,
        )

    def _explicitness(self, specimen: Specimen) -> FigureValue:
        try:
            train, judged = represent_all(held_out(specimen), self.codes, self.factor_bins)
            return explicitness(train, judged, specimen.seed)
        except NotApplicableError as error:
            return Missing(str(error))


def modularity(information: Tensor) -> float:
    """Returns the mean over codes of how far each tells of one factor only.

    Args:
        information: The mutual information of each factor and each code, with shape (F, D).
    """
    squares = information.square()
    most = squares.amax(0)
    silent = most == 0
    rest = (squares.sum(0) - most) / (most.masked_fill(silent, 1.0) * (len(squares) - 1))
    return float(torch.where(silent, 0.0, 1 - rest).mean())
