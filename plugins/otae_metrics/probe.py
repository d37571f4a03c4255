"""What simple classifiers make of the codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Samples, Specimen

from .arrangement import arrange
from .bootstrap import bootstrap
from .held_out import held_out, part
from .linear import Linear, vectors
from .logistic import logistic

_REPEATS = 5


class Probe(Metric):
    r"""Creates measures of how well simple classifiers tell the classes from the codes.

    Each is fitted to the training samples and judged on the split, by its accuracy: the share of samples whose class it
    names. Samples of the split that were trained on are left out; of the training split itself, one half is judged after
    fitting to the other.

    - `linear`: logistic regression on the standardised codes, with a squared penalty;
    - `neighbours`: the most frequent class of the k nearest codes;
    - `few`: logistic regression from a few samples of each class, the mean over five draws of them.

    The baselines are the same on as many principal components as codes have entries, and naming the most frequent class
    always. Intervals are those of the bootstrap over the samples that are judged, classifiers held.

    Figures: `linear`, `neighbours`, `few`; the same with `pca_`; `majority`.

    Args:
        nearest: The number k of neighbours.
        few: The number of samples of each class in `few`.
        limit: The largest number of training samples to fit to, drawn by seed.

    References:
        Understanding Intermediate Layers Using Linear Classifier Probes (Alain and Bengio, 2016)
        https://arxiv.org/abs/1610.01644

        Nearest Neighbor Pattern Classification (Cover and Hart, 1967)
        https://doi.org/10.1109/TIT.1967.1053964
    """

    headline = "linear"
    needs_labels = True
    figures: ClassVar[Mapping[str, Figure]] = {
        "linear": Figure("linear probe", "accuracy of logistic regression on codes", "higher", 1.0),
        "neighbours": Figure("nearest neighbours", "accuracy of the majority of the nearest codes", "higher", 1.0),
        "few": Figure("few labels", "accuracy of logistic regression from a few codes of each class", "higher", 1.0),
        "pca_linear": Figure(
            "linear probe of PCA", "accuracy of logistic regression on principal components", "higher"
        ),
        "pca_neighbours": Figure("nearest neighbours of PCA", "the same on principal components", "higher"),
        "pca_few": Figure("few labels of PCA", "the same on principal components", "higher"),
        "majority": Figure("most frequent class", "accuracy of always naming the most frequent class", "higher"),
    }

    def __init__(
        self,
        nearest: Annotated[int, Field(gt=0, le=100_000)] = 5,
        few: Annotated[int, Field(gt=0, le=100_000)] = 10,
        limit: Annotated[int, Field(gt=1, le=100_000)] = 4_000,
    ) -> None:
        super().__init__()
        self.nearest, self.few, self.limit = nearest, few, limit

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the accuracies on codes and on principal components.

        Args:
            specimen: The split, with labels, and what the model makes of it.

        Raises:
            NotApplicableError: If the training samples have no labels of two classes, or no sample is left to judge.
        """
        fit, judged = held_out(specimen)
        if fit.labels is None or judged.labels is None or not len(judged.data):
            raise NotApplicableError("A probe needs labels of training samples, and other samples to judge it on.")
        fit = part(fit, arrange(fit.data, specimen.seed)[: self.limit])
        linear = Linear(fit.data, specimen.codes.shape[1])
        majority = torch.mode(_labels(fit)).values
        figures: dict[str, FigureValue] = {"majority": float((_labels(judged) == majority).double().mean())}
        for prefix, points in (
            ("", (vectors(fit.codes), vectors(judged.codes))),
            ("pca_", (linear.encode(fit.data), linear.encode(judged.data))),
        ):
            probes = _Probes(*points, _labels(fit), _labels(judged), specimen.seed)
            hits = {
                "linear": probes.linear(),
                "neighbours": probes.neighbours(self.nearest),
                "few": probes.few(self.few),
            }
            figures |= {f"{prefix}{name}": bootstrap(_mean, hit, seed=specimen.seed) for name, hit in hits.items()}
        return figures


@dataclass(frozen=True, eq=False)
class _Probes:
    """Holds what probes are fitted to and judged on; each returns how often it is right of each sample, with shape (N,)."""

    fit: Tensor
    judged: Tensor
    classes: Tensor
    truth: Tensor
    seed: int

    def linear(self) -> Tensor:
        return self._logistic(torch.arange(len(self.fit)))

    def neighbours(self, nearest: int) -> Tensor:
        from sklearn.neighbors import KNeighborsClassifier

        model = KNeighborsClassifier(min(nearest, len(self.fit))).fit(self.fit.numpy(), self.classes.numpy())
        return self._hits(model.predict)

    def few(self, count: int) -> Tensor:
        return torch.stack([self._logistic(self._some(count, repeat)) for repeat in range(_REPEATS)]).mean(0)

    def _some(self, count: int, repeat: int) -> Tensor:
        order = arrange(self.fit, self.seed + repeat)
        return torch.cat([order[self.classes[order] == each][:count] for each in torch.unique(self.classes)])

    def _logistic(self, rows: Tensor) -> Tensor:
        mean, spread = self.fit[rows].mean(0), self.fit[rows].std(0).clamp_min(1e-12)
        model = logistic((self.fit[rows] - mean) / spread, self.classes[rows])
        return self._hits(lambda points: model.predict((points - mean.numpy()) / spread.numpy()))

    def _hits(self, predict: Callable[..., object]) -> Tensor:
        return (torch.as_tensor(predict(self.judged.numpy())) == self.truth).double()


def _labels(samples: Samples) -> Tensor:
    assert samples.labels is not None
    return samples.labels


def _mean(values: Tensor) -> float:
    return float(values.mean())
