"""Disentanglement, completeness and informativeness, by what predictors of the factors make of each code."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Generator, Tensor

from otae.interfaces import Estimate, Figure, FigureValue, Metric, Missing, Specimen

from .bootstrap import bootstrap, interval
from .held_out import held_out
from .importance import Fit, Predictor, Task, fit
from .mutual_information import entropy
from .representation import Codes, Representation, represent_all, standardise

_REPLICATES = 10
_SHARE = 5  # a replicate has one tree for so many


class DCI(Metric):
    r"""Creates disentanglement, completeness and informativeness of the codes.

    A predictor of each factor f from the codes is fitted to training samples, and $R_{fd}$ says how much it makes of
    dimension d. With $H_b$ the entropy to base b,

    $$D = \sum_d \frac{\sum_f R_{fd}}{\sum_{fd} R_{fd}} \Big( 1 - H_F\big(R_{\cdot d} / \textstyle\sum_f R_{fd}\big) \Big), \qquad
    C = \sum_f \frac{\sum_d R_{fd}}{\sum_{fd} R_{fd}} \Big( 1 - H_D\big(R_{f \cdot} / \textstyle\sum_d R_{fd}\big) \Big)$$

    D is 1 where each dimension serves one factor only, C where each factor is served by one dimension only, and both are 0
    where all serve alike. Informativeness is how well the predictors do on the split, meaned over factors.

    The predictor is a forest of trees that see all dimensions at every split (`forest`; of one that draws them, as random
    forests do, even a perfect code has a D of about 0.4), or gradient boosting (`boosting`, that of disentanglement_lib,
    and slow), which classify every factor: informativeness is accuracy, and R how much each dimension lowers the impurity.
    Or it is a lasso with cross-validated penalty (`lasso`), which regresses ordered factors, cosine and sine of circular
    ones and an indicator for each class of categorical ones: informativeness is the share of explained variance, and R the
    sum of absolute coefficients. Codes are standardised.

    Figures: `disentanglement`, `completeness`, `informativeness`, and the table `importance`. The intervals of the first two
    come from ten further fits, with a fifth of the trees, to training samples drawn again; that of informativeness from
    the split's samples drawn again, for the predictors as fitted. Disentanglement is left out where one factor varies,
    completeness where there is one dimension.

    Args:
        model: The predictor.
        codes: Whether to look at the means of the codes' laws, or at one draw from each.
        trees: The number of trees of a forest, or of rounds of boosting.
        limit: The largest number of training samples, and of the split's, to look at.
        factor_bins: The number of classes of a factor that may take any value of an interval.

    References:
        A Framework for the Quantitative Evaluation of Disentangled Representations (Eastwood and Williams, 2018)
        https://openreview.net/forum?id=By-7dz-AZ

        Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (Locatello et al., 2019)
        https://arxiv.org/abs/1811.12359
    """

    headline = "disentanglement"
    figures: ClassVar = {
        "disentanglement": Figure(
            "disentanglement (DCI)", "How far each dimension serves the prediction of one factor only.", "higher", 1.0
        ),
        "completeness": Figure(
            "completeness (DCI)", "How far each factor is predicted from one dimension only.", "higher", 1.0
        ),
        "informativeness": Figure(
            "informativeness (DCI)",
            "How well the factors of new samples are predicted from their codes.",
            "higher",
            1.0,
        ),
        "importance": Figure("importance", "How much the predictor of each factor makes of each dimension."),
    }
    needs_factors = True
    costly = True

    def __init__(
        self,
        model: Predictor = "forest",
        codes: Codes = "means",
        trees: Annotated[int, Field(gt=0, le=10_000)] = 50,
        limit: Annotated[int, Field(gt=1, le=100_000)] = 5_000,
        factor_bins: Annotated[int, Field(gt=1, le=10_000)] = 10,
    ) -> None:
        super().__init__()
        self.model, self.codes, self.trees, self.limit, self.factor_bins = model, codes, trees, limit, factor_bins

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the three figures and the table of importances.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If no factor varies, or draws are asked for and there are none.
        """
        seed = specimen.seed
        generator = Generator().manual_seed(seed)
        groups = represent_all(held_out(specimen), self.codes, self.factor_bins)
        train, judged = (_some(each, self.limit, generator) for each in groups)
        tasks = [self._task(train, judged, f, seed) for f in range(len(train.kinds))]
        fits = [fit(self.model, task) for task in tasks]
        matrix = _matrix(fits)
        replicates = [self._replicate(tasks, generator, seed + 1 + number) for number in range(_REPLICATES)]
        scores = torch.stack([each.scores for each in fits], dim=1)
        few, one = f"Only the factor {train.names[0]!r} varies.", "The code has one dimension only."
        return {
            "disentanglement": _figure(disentanglement, matrix, replicates) if len(matrix) > 1 else Missing(few),
            "completeness": _figure(completeness, matrix, replicates) if matrix.shape[1] > 1 else Missing(one),
            "informativeness": bootstrap(lambda scores: float(scores.mean()), scores, seed=seed),
            "importance": train.table(matrix, "what predicts each factor"),
        }

    def _task(self, train: Representation, judged: Representation, f: int, seed: int) -> Task:
        return Task(
            kind=train.kinds[f],
            codes=standardise(train.codes),
            values=train.values[:, f],
            classes=train.classes[:, f],
            others=standardise(judged.codes, train.codes),
            truths=judged.values[:, f],
            answers=judged.classes[:, f],
            trees=self.trees,
            seed=seed,
        )

    def _replicate(self, tasks: list[Task], generator: Generator, seed: int) -> Tensor:
        count = len(tasks[0].codes)
        rows, trees = torch.randint(count, (count,), generator=generator), -(-self.trees // _SHARE)
        return _matrix([fit(self.model, task.redraw(rows, trees, seed)) for task in tasks])


def disentanglement(importance: Tensor) -> float:
    """Returns how far each column serves one row only: one less its entropy, to the number of rows as base, meaned by size.

    Args:
        importance: Non-negative numbers, with shape (R, C) and R above 1; where all are 0, so is the figure.
    """
    sizes = importance.sum(0)
    if not bool(sizes.any()):
        return 0.0
    shares = importance / sizes.masked_fill(sizes == 0, 1.0)
    return float((sizes / sizes.sum()) @ (1 - entropy(shares.T) / math.log(len(importance))))


def completeness(importance: Tensor) -> float:
    """Returns how far each row is served by one column only.

    Args:
        importance: Non-negative numbers, with shape (R, C) and C above 1.
    """
    return disentanglement(importance.T)


def _figure(figure: Callable[[Tensor], float], matrix: Tensor, replicates: list[Tensor]) -> Estimate:
    return interval(figure(matrix), [figure(each) for each in replicates])


def _matrix(fits: list[Fit]) -> Tensor:
    return torch.stack([each.importance for each in fits])  # (F, D)


def _some(samples: Representation, limit: int, generator: Generator) -> Representation:
    rows = torch.randperm(len(samples), generator=generator)[:limit]
    return Representation(samples.codes[rows], samples.values[rows], samples.classes[rows], samples.kinds)
