"""Whether the codes match the prior: what a classifier, the likelihood and each dimension say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Generator, Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Missing, Prior, Samples, Specimen, Table

from .bootstrap import bootstrap
from .held_out import held_out
from .linear import vectors
from .order import canonical
from .prior_fit import fitted_log_likelihoods, log_likelihoods
from .representation import code_names
from .roc import area
from .two_samples import classifier_scores, kolmogorov_smirnov, project, sliced_distance

_FEWEST = 10
_MOST = 1_000  # codes to fit a family to: a step of Adam on more takes long


class Match(Metric):
    r"""Creates the match of codes and prior: how well anything can tell codes from draws of the prior.

    The codes are drawn from their laws, where there are such draws: it is the aggregated posterior that shall match the
    prior.

    - `auc`: the area under the ROC curve of a classifier two-sample test. Gradient boosting is fitted to codes of training
      samples against as many draws of the prior, and judged on the split's codes against as many other draws. 0.5 where
      the laws are one, 1 where nothing of theirs overlaps.
    - `log_likelihood`: the mean log-density of the prior at the codes, in nats. `fitted_log_likelihood`: the same of the
      prior's own family, fitted to (at most 1,000) codes of training samples by maximum likelihood. `likelihood_gap`: the
      second less the first, which is 0 where the prior is the best of its family for these codes.
    - `ks`: the statistic of Kolmogorov and Smirnov between codes and draws, meaned over dimensions, and `ks_rejected`,
      the share of dimensions in which their test rejects one law at 5 % after Bonferroni. The table `dimensions` has
      the statistic and the p-value of each.
    - `sliced`: the sliced Wasserstein distance of order 2, per spread of the prior (the root of its mean variance).

    Each has an interval by bootstrap of codes and draws, for the classifier and the family as fitted. With equal laws
    `ks` and `sliced` are above 0 by chance, the more so the fewer the codes: compare figures of equally many codes.

    Args:
        limit: The largest number of codes, and of draws, to fit to, and to judge on.
        directions: The number of directions of the sliced distance.
        steps: The number of steps to fit the prior's family.

    References:
        Revisiting Classifier Two-Sample Tests (Lopez-Paz and Oquab, 2017)
        https://arxiv.org/abs/1610.06545

        Distribution Matching in Variational Inference (Rosca et al., 2018)
        https://arxiv.org/abs/1802.06847
    """

    headline = "auc"
    figures: ClassVar = {
        "auc": Figure(
            "codes against prior, AUC",
            "How well a classifier tells codes from draws of the prior: 0.5 where their laws are one.",
            "lower",
            0.5,
        ),
        "log_likelihood": Figure(
            "log-likelihood of the codes", "The mean log-density of the prior at the codes, in nats.", "higher"
        ),
        "fitted_log_likelihood": Figure(
            "log-likelihood, fitted",
            "The mean log-density at the codes of the prior's family, fitted to codes.",
            "none",
        ),
        "likelihood_gap": Figure(
            "likelihood gap", "What fitting the prior's own family to the codes would gain, in nats.", "lower", 0.0
        ),
        "ks": Figure(
            "Kolmogorov-Smirnov", "The largest gap of distribution functions, meaned over dimensions.", "lower", 0.0
        ),
        "ks_rejected": Figure(
            "dimensions off", "The share of dimensions in which codes and prior differ significantly.", "lower", 0.0
        ),
        "sliced": Figure(
            "sliced distance",
            "The sliced Wasserstein distance of codes and prior, per spread of the prior.",
            "lower",
            0.0,
        ),
        "dimensions": Figure("tests by dimension", "Kolmogorov and Smirnov's statistic and p-value in each dimension."),
    }

    def __init__(
        self,
        limit: Annotated[int, Field(ge=_FEWEST, le=100_000)] = 2_000,
        directions: Annotated[int, Field(gt=0, le=10_000)] = 50,
        steps: Annotated[int, Field(gt=0, le=10_000)] = 100,
    ) -> None:
        super().__init__()
        self.limit, self.directions, self.steps = limit, directions, steps

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns what the classifier, the likelihood, the dimensions and the directions say.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If there are fewer than 10 codes, or than 20 draws of the prior.
        """
        sides, seed = self._sides(specimen), specimen.seed
        prior = None if specimen.model is None else specimen.model.prior
        return {
            "auc": bootstrap(area, *classifier_scores(sides.fit, sides.judged, seed), seed=seed, paired=False),
            **self._likelihoods(prior, sides, seed),
            **_dimensions(*sides.judged, seed),
            "sliced": self._sliced(*sides.judged, seed),
        }

    def _sides(self, specimen: Specimen) -> _Sides:
        fit, judged = (_drawn(samples) for samples in held_out(specimen))
        prior, seed = vectors(specimen.prior), specimen.seed
        count = min(self.limit, len(judged), len(prior) // 2)
        others = min(self.limit, len(fit), len(prior) - count)
        if min(count, others) < _FEWEST:
            raise NotApplicableError(
                f"A test of codes against prior needs {_FEWEST} codes of training samples and of others, and twice as "
                f"many draws, and has {len(fit)}, {len(judged)} and {len(prior)}. Judge more samples."
            )
        draws = _shuffled(prior, count + others, seed)
        return _Sides((_shuffled(fit, others, seed), draws[count:]), (_shuffled(judged, count, seed), draws[:count]))

    def _likelihoods(self, prior: Prior | None, sides: _Sides, seed: int) -> dict[str, FigureValue]:
        names = ("log_likelihood", "fitted_log_likelihood", "likelihood_gap")
        own = None if prior is None else log_likelihoods(prior, sides.judged[0])
        if prior is None or own is None:
            return dict.fromkeys(names, Missing("The prior has no density."))
        if not bool(own.isfinite().all()):
            share = float((~own.isfinite()).double().mean())
            return dict.fromkeys(names, Missing(f"The prior has no mass at {share:.1%} of the codes."))
        found: dict[str, FigureValue] = {names[0]: bootstrap(_mean, own, seed=seed)}
        fitted = fitted_log_likelihoods(prior, sides.fit[0][:_MOST], sides.judged[0], self.steps)
        if fitted is None:
            return found | dict.fromkeys(names[1:], Missing("The prior has no parameters that could be fitted."))
        values = (fitted, fitted - own)
        return found | {name: bootstrap(_mean, each, seed=seed) for name, each in zip(names[1:], values, strict=True)}

    def _sliced(self, codes: Tensor, draws: Tensor, seed: int) -> FigureValue:
        spread = float(draws.var(0, correction=0).mean().sqrt())
        if spread == 0:
            return Missing("All draws of the prior coincide.")
        along = [project(each / spread, self.directions, seed) for each in (codes, draws)]
        return bootstrap(sliced_distance, *along, seed=seed, count=40, paired=False)


@dataclass(frozen=True, eq=False)
class _Sides:
    """Holds codes and as many draws of the prior: those to fit to, and those to judge on."""

    fit: tuple[Tensor, Tensor]
    judged: tuple[Tensor, Tensor]


def _dimensions(codes: Tensor, draws: Tensor, seed: int) -> dict[str, FigureValue]:
    from scipy.stats import ks_2samp

    tests = [ks_2samp(x, y, method="asymp") for x, y in zip(codes.T.numpy(), draws.T.numpy(), strict=True)]
    table = torch.tensor([[test.statistic, test.pvalue] for test in tests], dtype=torch.float64)
    return {
        "ks": bootstrap(lambda x, y: _mean(kolmogorov_smirnov(x, y)), codes, draws, seed=seed, count=40, paired=False),
        "ks_rejected": float((table[:, 1] < 0.05 / len(table)).double().mean()),
        "dimensions": Table(
            table, code_names(len(table)), ("statistic", "p-value"), "codes against prior by dimension"
        ),
    }


def _mean(values: Tensor) -> float:
    return float(values.double().mean())


def _drawn(samples: Samples) -> Tensor:
    return vectors(samples.codes if samples.draws is None else samples.draws)


def _shuffled(points: Tensor, count: int, seed: int) -> Tensor:
    order = torch.randperm(len(points), generator=Generator().manual_seed(seed))
    return points[canonical(points)][order[:count]]
