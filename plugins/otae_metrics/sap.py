"""The separated attribute predictability: by how much the best code of a factor predicts it better than the second."""

from __future__ import annotations

import warnings
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.interfaces import Factor, Figure, FigureValue, Metric, Specimen

from .bootstrap import bootstrap
from .held_out import held_out
from .mig import top_gap
from .representation import Codes, Representation, represent_all, standardise
from .targets import targets


class SAP(Metric):
    r"""Creates the separated attribute predictability of codes and factors.

    $$\mathrm{SAP} = \frac{1}{F} \sum_f \left( S_{f(1)} - S_{f(2)} \right)$$

    Here $S_{f(1)}$ and $S_{f(2)}$ are the two largest of the scores $S_{fd}$, of how well dimension d alone predicts factor
    f: the squared correlation of an ordered factor, the share of the variance of cosine and sine that a linear model
    explains of a circular one, and the accuracy of a linear support vector machine (C = 0.01, all classes weighing alike,
    codes standardised) of a categorical one. It is fitted to the codes of training samples and judged on the split.

    Figures: `sap`, with an interval by bootstrap, and the table `scores`.

    Args:
        codes: Whether to look at the means of the codes' laws, or at one draw from each.
        classify: Whether ordered and circular factors are classified, too, as disentanglement_lib does unless told.
        factor_bins: The number of classes of a factor that may take any value of an interval, where it is classified.

    References:
        Variational Inference of Disentangled Latent Concepts from Unlabeled Observations (Kumar et al., 2018)
        https://arxiv.org/abs/1711.00848
    """

    headline = "sap"
    figures: ClassVar = {
        "sap": Figure(
            "separated attribute predictability",
            "How much better the best dimension predicts a factor than the second.",
            "higher",
            1.0,
        ),
        "scores": Figure("scores", "How well each dimension alone predicts each factor."),
    }
    needs_factors = True

    def __init__(
        self, codes: Codes = "means", classify: bool = False, factor_bins: Annotated[int, Field(gt=1, le=10_000)] = 10
    ) -> None:
        super().__init__()
        self.codes, self.classify, self.factor_bins = codes, classify, factor_bins

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the gap and the table of scores.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If no factor varies, or draws are asked for and there are none.
        """
        train, judged = represent_all(held_out(specimen), self.codes, self.factor_bins)
        kinds = [self.classify or kind.kind == "categorical" for kind in judged.kinds]
        hits = _hits(train, judged, [f for f, chosen in enumerate(kinds) if chosen])  # (N, classified, D)

        def scores(codes: Tensor, values: Tensor, hits: Tensor) -> Tensor:
            accuracies = iter(hits.double().mean(0))
            rows = [
                next(accuracies) if chosen else explained(codes, values[:, f], judged.kinds[f])
                for f, chosen in enumerate(kinds)
            ]
            return torch.stack(rows)  # (F, D)

        arrays = (judged.codes, judged.values, hits)
        return {
            "sap": bootstrap(lambda *drawn: float(top_gap(scores(*drawn)).mean()), *arrays, seed=specimen.seed),
            "scores": judged.table(scores(*arrays), "how well each dimension alone predicts each factor"),
        }


def explained(codes: Tensor, values: Tensor, kind: Factor) -> Tensor:
    """Returns the share of a factor's variance that a linear function of each code explains, with shape (D,).

    Args:
        codes: The codes, with shape (N, D).
        values: The factor's values, with shape (N,).
        kind: What the factor is.
    """
    x, y = standardise(codes), targets(values, kind)
    y = y - y.mean(0)
    covariances = x.T @ y / len(x)  # (D, T)
    return covariances.square().sum(1) / y.square().mean(0).sum().clamp_min(1e-300)


def _hits(train: Representation, judged: Representation, chosen: list[int]) -> Tensor:
    """Returns whether each dimension alone tells the class of each sample, with shape (N, chosen factors, D)."""
    x, y = standardise(train.codes), standardise(judged.codes, train.codes)
    found = torch.zeros(len(judged), len(chosen), x.shape[1], dtype=torch.bool)
    for place, f in enumerate(chosen):
        for d in range(x.shape[1]):
            guesses = _guesses(x[:, [d]], train.classes[:, f], y[:, [d]])
            found[:, place, d] = guesses == judged.classes[:, f]
    return found


def _guesses(x: Tensor, classes: Tensor, y: Tensor) -> Tensor:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LinearSVC(C=0.01, class_weight="balanced", random_state=0).fit(x.numpy(), classes.numpy())
    guesses: Tensor = torch.from_numpy(model.predict(y.numpy()))
    return guesses
