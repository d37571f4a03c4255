"""The FactorVAE score: whether the dimension that varies least tells which factor is held fixed."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Generator, Tensor

from otae.interfaces import Figure, FigureValue, Metric, Specimen

from .bootstrap import bootstrap
from .held_out import held_out
from .interventions import Interventions
from .representation import Codes, represent_all

_ACTIVE = 0.05


class FactorVAE(Metric):
    r"""Creates the FactorVAE score of codes and factors.

    In each batch one factor is held fixed, and the dimension votes whose variance in it, relative to that of all samples,
    is least. A majority vote on batches of training samples assigns each dimension a factor; the score is the accuracy of
    this classifier on batches of the split. It is 1 where each factor has dimensions of its own, and about 1/F where codes
    tell nothing. Dimensions of a standard deviation below 0.05 do not vote.

    Batches are drawn with replacement from the samples that share a class of the factor, from classes of at least `batch`
    samples.

    Figures: `score`, with an interval by bootstrap of the votes on the split, and `active`, the number of dimensions that
    vote.

    Args:
        codes: Whether to look at the means of the codes' laws, or at one draw from each.
        batch: The number of samples of a batch.
        votes: The number of batches of training samples, and of the split.
        factor_bins: The number of classes of a factor that may take any value of an interval.

    References:
        Disentangling by Factorising (Kim and Mnih, 2018)
        https://arxiv.org/abs/1802.05983
    """

    headline = "score"
    figures: ClassVar = {
        "score": Figure(
            "FactorVAE score", "How often the least varying dimension tells which factor is held fixed.", "higher", 1.0
        ),
        "active": Figure("active dimensions", "How many dimensions vary enough to vote."),
    }
    needs_factors = True

    def __init__(
        self,
        codes: Codes = "means",
        batch: Annotated[int, Field(gt=1, le=100_000)] = 64,
        votes: Annotated[int, Field(gt=0, le=100_000)] = 2_000,
        factor_bins: Annotated[int, Field(gt=1, le=10_000)] = 10,
    ) -> None:
        super().__init__()
        self.codes, self.batch, self.votes, self.factor_bins = codes, batch, votes, factor_bins

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the score.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If a factor has no class of `batch` samples, or draws are asked for and there are none.
        """
        train, judged = represent_all(held_out(specimen), self.codes, self.factor_bins)
        variances = train.codes.var(0)
        active = variances.sqrt() >= _ACTIVE
        if not bool(active.any()):
            return {"score": 0.0, "active": 0.0}
        generator = Generator().manual_seed(specimen.seed)
        (known, dimensions), (fixed, voted) = (
            self._votes(Interventions(each, self.batch), variances, active, generator) for each in (train, judged)
        )
        table = torch.zeros(len(train.kinds), len(variances)).index_put_(
            (known, dimensions), torch.ones(self.votes), accumulate=True
        )
        hits = table.argmax(0)[voted] == fixed
        return {
            "score": bootstrap(lambda hits: float(hits.double().mean()), hits, seed=specimen.seed),
            "active": float(active.sum()),
        }

    def _votes(
        self, samples: Interventions, variances: Tensor, active: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        factors, codes = samples.batches(self.votes, self.batch, generator)
        shares = (codes.var(1) / variances).masked_fill(~active, torch.inf)
        return factors, shares.argmin(1)
