"""The interventional robustness score: how little each dimension moves while one factor is held fixed."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Specimen

from .bootstrap import bootstrap
from .representation import Codes, represent


class IRS(Metric):
    r"""Creates the interventional robustness score of codes and factors.

    $$\mathrm{IRS} = \frac{\sum_d M_d \max_f R_{fd}}{\sum_d M_d}, \qquad R_{fd} = 1 - \frac{1}{C_f M_d} \sum_{c=1}^{C_f}
    Q_{0.99}\big(|z_d - \langle z_d \rangle_c|\big)$$

    The quantile runs over the samples whose factor f has the class c, of C_f, and $\langle z_d \rangle_c$ is their mean;
    $M_d$ is the largest deviation of dimension d from its mean over all samples. It is 1 where, for each dimension, there
    is a factor that fixes it when it is held fixed, whatever the other factors do. Constant dimensions do not count; without
    any other, the score is 0. Classes of fewer than `least` samples, which could hardly deviate, are left out.

    Figures: `irs`, with an interval by bootstrap, and the table `robustness`, $R_{fd}$.

    Args:
        codes: Whether to look at the means of the codes' laws, or at one draw from each.
        quantile: The quantile of deviations that counts as the largest.
        least: The fewest samples of a class.
        factor_bins: The number of classes of a factor that may take any value of an interval.

    References:
        Robustly Disentangled Causal Mechanisms: Validating Deep Representations for Interventional Robustness (Suter et al.,
        2019)
        https://arxiv.org/abs/1811.00007
    """

    headline = "irs"
    figures: ClassVar = {
        "irs": Figure(
            "interventional robustness", "How little a dimension moves while its factor is held fixed.", "higher", 1.0
        ),
        "robustness": Figure("robustness", "How little each dimension moves while each factor is held fixed."),
    }
    needs_factors = True

    def __init__(
        self,
        codes: Codes = "means",
        quantile: Annotated[float, Field(gt=0, le=1)] = 0.99,
        least: Annotated[int, Field(gt=0, le=100_000)] = 10,
        factor_bins: Annotated[int, Field(gt=1, le=10_000)] = 10,
    ) -> None:
        super().__init__()
        self.codes, self.quantile, self.least, self.factor_bins = codes, quantile, least, factor_bins

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the score and the table of robustness.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If a factor has no class of `least` samples, or draws are asked for and there are none.
        """
        found = represent(specimen, self.codes, self.factor_bins)
        for name, labels in zip(found.names, found.classes.T, strict=True):
            if (most := int(torch.bincount(labels).max())) < self.least:
                raise NotApplicableError(
                    f"Holding the factor {name!r} fixed needs {self.least} samples of one value, and {most} have one at "
                    "most. Judge more samples, or ask for a smaller `least`."
                )
        table = robustness(found.codes, found.classes, self.quantile, self.least)
        return {
            "irs": bootstrap(self._score, found.codes, found.classes, seed=specimen.seed, count=50),
            "robustness": found.table(table, "how little each dimension moves while each factor is fixed"),
        }

    def _score(self, codes: Tensor, classes: Tensor) -> float:
        largest = _largest(codes)
        best = robustness(codes, classes, self.quantile, self.least).amax(0)
        return float((best * largest).sum() / largest.sum()) if largest.any() else 0.0


def robustness(codes: Tensor, classes: Tensor, quantile: float, least: int) -> Tensor:
    """Returns how little each dimension moves while each factor is held fixed, with shape (F, D).

    Args:
        codes: The codes, with shape (N, D).
        classes: The classes of the factors, with shape (N, F).
        quantile: The quantile of deviations that counts as the largest.
        least: The fewest samples of a class.
    """
    largest = _largest(codes)
    deviations = torch.stack([_deviation(codes, labels, quantile, least) for labels in classes.T])
    return torch.where(largest > 0, 1 - deviations / largest.clamp_min(1e-300), 0.0)


def _deviation(codes: Tensor, labels: Tensor, quantile: float, least: int) -> Tensor:
    sizes = torch.bincount(labels).tolist()
    groups = [group for group in torch.split(codes[labels.argsort(stable=True)], sizes) if len(group) >= least]
    reaches = [(group - group.mean(0)).abs().quantile(quantile, dim=0) for group in groups]
    return torch.stack(reaches).mean(0) if reaches else codes.new_full((codes.shape[1],), torch.nan)


def _largest(codes: Tensor) -> Tensor:
    """Returns the largest deviation from the mean in each dimension, 0 where nothing but rounding is left, with shape (D,)."""
    found = (codes - codes.mean(0)).abs().amax(0)
    return torch.where(found <= 1e-12 * codes.abs().amax(0), 0.0, found)
