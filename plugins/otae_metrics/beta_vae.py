"""The β-VAE score: whether differences of codes tell which factor two samples share."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Generator, Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Specimen

from .bootstrap import bootstrap
from .held_out import held_out
from .interventions import Interventions
from .logistic import logistic
from .representation import Codes, Representation, represent_all, standardise


class BetaVAE(Metric):
    r"""Creates the β-VAE score of codes and factors.

    $$\frac{1}{B} \sum_{b=1}^B |z_b - z'_b|$$

    is computed of B pairs of samples that share the class of one factor, and a logistic regression tells which factor it
    is. It is fitted to batches of training samples, and the score is its accuracy on batches of the split: 1 where the
    codes tell factors apart linearly, also after some rotations, and about 1/F where they tell nothing. The codes are
    standardised first, so that the penalty of the regression means the same in all units.

    Figures: `score`, with an interval by bootstrap of the batches of the split.

    Args:
        codes: Whether to look at the means of the codes' laws, or at one draw from each.
        batch: The number B of pairs of a batch.
        batches: The number of batches of training samples, and of the split.
        factor_bins: The number of classes of a factor that may take any value of an interval.

    References:
        beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework (Higgins et al., 2017)
        https://openreview.net/forum?id=Sy2fzU9gl
    """

    headline = "score"
    figures: ClassVar = {
        "score": Figure(
            "β-VAE score",
            "How often a linear classifier of code differences tells which factor is shared.",
            "higher",
            1.0,
        )
    }
    needs_factors = True

    def __init__(
        self,
        codes: Codes = "means",
        batch: Annotated[int, Field(gt=0, le=100_000)] = 64,
        batches: Annotated[int, Field(gt=1, le=100_000)] = 2_000,
        factor_bins: Annotated[int, Field(gt=1, le=10_000)] = 10,
    ) -> None:
        super().__init__()
        self.codes, self.batch, self.batches, self.factor_bins = codes, batch, batches, factor_bins

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the score.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If only one factor varies, a factor has no two samples of one class, or draws are asked for
                and there are none.
        """
        train, judged = represent_all(held_out(specimen), self.codes, self.factor_bins)
        if len(train.kinds) < 2:
            raise NotApplicableError(f"Only the factor {train.names[0]!r} varies: there is none to tell it from.")
        generator = Generator().manual_seed(specimen.seed)
        (factors, gaps), (others, judgements) = (self._gaps(each, train.codes, generator) for each in (train, judged))
        guesses = torch.from_numpy(logistic(gaps, factors).predict(judgements.numpy()))
        hits = guesses == others
        return {"score": bootstrap(lambda hits: float(hits.double().mean()), hits, seed=specimen.seed)}

    def _gaps(self, samples: Representation, like: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        codes = standardise(samples.codes, like)
        drawn = Interventions(Representation(codes, samples.values, samples.classes, samples.kinds), 2)
        factors, gaps = drawn.pairs(self.batches, self.batch, generator)
        return factors, gaps.abs().mean(1)
