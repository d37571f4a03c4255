"""Whether the model knows outliers from samples of its own law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field

from otae.errors import NotApplicableError
from otae.interfaces import Dataset, Figure, FigureValue, Metric, Missing, Specimen

from .anomalies import Change, change, others
from .arrangement import arrange
from .detection import detection
from .linear import Linear
from .novelty import Score, Views, brightness, density, error, linear_error, potentials, transport

_SCORES = {
    "critic": "the value of the critic on reconstruction and code",
    "critic_data": "the value of the critic on sample and code",
    "density": "the density of the code under the prior",
    "reconstruction": "the error of the reconstruction",
    "transport": "the cost of moving the code to the prior",
    "brightness": "the mean of a sample's entries alone, a baseline",
    "pca": "the reconstruction error of PCA, a baseline",
}
_KINDS = {
    "auroc": ("AUROC", "area under the ROC curve of outliers by {}", "higher", 1.0),
    "aupr": ("AUPR", "area under the precision-recall curve of outliers by {}", "higher", 1.0),
    "fpr95": ("FPR at 95 %", "share of outliers accepted where 95 % of normal samples are, by {}", "lower", 0.0),
}


class Outliers(Metric):
    r"""Creates measures of how well the model tells outliers from samples of the split.

    Every score is higher on what is less like the training samples:

    - `critic`: $-f(G(E(x)), E(x))$, for each term of the objective whose cost has learned a potential f, high where
      points look like what the model generates: the reconstruction stands for the generation and the code for the draw
      from the prior. `critic_data` is $f$ at the members of the term's source, such as $(x, E(x))$, where f is low;
    - `density`: $-\log \pi(E(x))$, where the prior has a density;
    - `reconstruction`: $\|x - G(E(x))\|^2 / D$;
    - `transport`: the cost of moving the code to the prior, the dual potential of optimal transport between codes of
      training samples and draws from the prior;
    - the baselines `brightness`, how far the mean of the entries is from that of the training samples, and `pca`, the
      error of principal component analysis. A score that does not beat them has learned nothing worth naming.

    Of each there are the area under the ROC curve (0.5 by chance), the area under the precision-recall curve with outliers
    as positives (their share by chance), and the share of outliers that are accepted where 95 % of the normal samples are.
    The headline `auroc` is that of the option `score`. As many outliers as samples are looked at. Intervals are those of
    the bootstrap over both.

    Figures: `auroc`; `<score>_auroc`, `<score>_aupr` and `<score>_fpr95` of each score; for a second term with a potential,
    `critic_<term>_auroc` and so on.

    Args:
        against: Where outliers come from: the samples themselves, `rotated` by a quarter turn (half a turn where they are
            not square), `inverted` within the range of the training samples, or `noise`, whose entries are each drawn
            from their values in training samples; or another dataset, as `{name: …, option: …}`.
        score: The score of the headline; `auto` is the critic's where there is one, else the density, else transport.
        limit: The largest number of samples, and of outliers, drawn by seed.
        draws: The largest number of codes, and of draws from the prior, between which transport is solved.

    References:
        Gromov-Wasserstein Autoencoders (Nakagawa et al., 2023)
        https://arxiv.org/abs/2209.07007

        A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural Networks (Hendrycks and Gimpel, 2017)
        https://arxiv.org/abs/1610.02136

        Enhancing the Reliability of Out-of-distribution Image Detection in Neural Networks (Liang et al., 2018)
        https://arxiv.org/abs/1706.02690
    """

    headline = "auroc"
    costly = True
    figures: ClassVar[Mapping[str, Figure]] = {
        "auroc": Figure(
            "AUROC of outliers", "area under the ROC curve of outliers by the model's score", "higher", 1.0
        ),
        **{
            f"{score}_{kind}": Figure(f"{title} by {score}", definition.format(by), better, best)  # type: ignore[arg-type]
            for score, by in _SCORES.items()
            for kind, (title, definition, better, best) in _KINDS.items()
        },
    }

    def __init__(
        self,
        against: Change | Dataset = "rotated",
        score: Literal["auto", "critic", "density", "reconstruction", "transport"] = "auto",
        limit: Annotated[int, Field(gt=1, le=100_000)] = 2_000,
        draws: Annotated[int, Field(gt=1, le=1_000_000)] = 1_000,
    ) -> None:
        super().__init__()
        self.against, self.score, self.limit, self.draws = against, score, limit, draws

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns how well each score tells outliers from the split.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If there is no model, or samples cannot be changed in the way that is asked for.
            ConfigError: If the samples of `against` have another shape.
        """
        if specimen.model is None:
            raise NotApplicableError("The metric 'outliers' needs the model itself, which encodes outliers.")
        seed, against = specimen.seed, self.against
        made = others(against, specimen, self.limit) if isinstance(against, Dataset) else change(against, specimen)
        clouds = (cloud[arrange(cloud, seed)[: self.limit]] for cloud in (specimen.data, made))
        normal, outliers = (Views.of(specimen.model, cloud) for cloud in clouds)
        scores = self._scores(specimen, normal)
        figures: dict[str, FigureValue] = {}
        for name, score in scores.items():
            figures |= {f"{name}_{kind}": value for kind, value in _judge(score, normal, outliers, seed).items()}
        return {"auroc": figures[f"{self._chosen(scores)}_auroc"], **figures}

    def _scores(self, specimen: Specimen, normal: Views) -> dict[str, Score | Missing]:
        assert specimen.model is not None
        linear = Linear(specimen.train.data, specimen.codes.shape[1])
        law, copied = density(specimen.model), linear.degenerate
        return {
            "critic": Missing("No term of the objective has learned a potential, as `critic` does."),
            **potentials(specimen, normal.part(slice(2))),
            "density": Missing("The prior has no density.") if law is None else law,
            "reconstruction": error,
            "transport": transport(specimen, self.draws),
            "brightness": brightness(specimen),
            "pca": linear_error(linear) if copied is None else Missing(copied),
        }

    def _chosen(self, scores: Mapping[str, Score | Missing]) -> str:
        if self.score != "auto":
            return self.score
        return next(name for name in ("critic", "density", "transport") if not isinstance(scores[name], Missing))


def _judge(score: Score | Missing, normal: Views, outliers: Views, seed: int) -> Mapping[str, FigureValue]:
    if isinstance(score, Missing):
        return dict.fromkeys(_KINDS, score)
    values = score(normal), score(outliers)
    if not all(bool(torch.isfinite(each).all()) for each in values):
        return dict.fromkeys(_KINDS, Missing("The score of some samples is no finite number."))
    return detection(*values, seed)
