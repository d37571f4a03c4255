"""The interface of metrics: figures that judge a trained autoencoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .factors import Factors
from .figures import Figure, FigureValue
from .trained import TrainedModel, TrainedObjective


@dataclass(frozen=True, eq=False, kw_only=True)
class Samples:
    """Holds samples of a dataset and their codes, all on the CPU.

    Args:
        data: The samples, with shape (N, *data_shape).
        codes: Their codes (means), with shape (N, latent_dim).
        draws: One draw from the law of each code, with shape (N, latent_dim), or `None` where it is not known.
        labels: One integer class per sample, with shape (N,), or `None`.
        factors: What generated each sample, or `None`.
    """

    data: Tensor
    codes: Tensor
    draws: Tensor | None = None
    labels: Tensor | None = None
    factors: Factors | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Specimen(Samples):
    """Holds what a metric looks at: one split of the data and what the model makes of it, all on the CPU.

    Args:
        data: The samples of the split, with shape (N, *data_shape).
        codes: Their codes (means), with shape (N, latent_dim).
        draws: One draw from the law of each code, with shape (N, latent_dim), or `None` where it is not known.
        labels: One integer class per sample, with shape (N,), or `None`.
        factors: What generated each sample, or `None`.
        reconstructions: Their reconstructions from the codes, with shape (N, *data_shape).
        generations: Decoded draws from the prior, with shape (M, *data_shape).
        prior: The codes of those draws, with shape (M, latent_dim).
        train: The training samples and their codes, for baselines, probes and classifiers fitted to them.
        class_names: A name for each class, or `None`.
        model: The autoencoder itself, in eval mode, for what no cloud shows: its prior's density and components, codes of
            other data. `None` where only clouds are at hand.
        objective: The trained objective, in eval mode, such as for the value of a critic; `None` where there is none.
        seed: The seed that any draw of the metric must start from.
    """

    reconstructions: Tensor
    generations: Tensor
    prior: Tensor
    train: Samples
    class_names: tuple[str, ...] | None = None
    model: TrainedModel | None = None
    objective: TrainedObjective | None = None
    seed: int = 0


class Metric(ABC):
    """Abstract base of metrics.

    A metric that cannot judge a specimen, such as one that asks for a prior's components where it has none, raises
    `NotApplicableError` with the reason: it is skipped where nobody asked for it by name.

    Attributes:
        headline: The name of the figure that stands for the metric in tables, tiles and comparisons.
        figures: What the figures are, by name; a figure that is not described here is shown by its name alone.
        needs_labels: Whether it can only judge data with labels.
        needs_factors: Whether it can only judge data with known factors.
        costly: Whether it takes more than about a second for a few thousand samples: it then runs only where it is asked
            for by name.
    """

    headline: ClassVar[str]
    figures: ClassVar[Mapping[str, Figure]]
    needs_labels: ClassVar[bool] = False
    needs_factors: ClassVar[bool] = False
    costly: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    def __call__(self, specimen: Specimen) -> Mapping[str, FigureValue]:
        """Returns named figures: finite numbers, `Estimate`s where there is an interval, `Missing` with the reason where
        a figure is undefined, and `Table`s for the report.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If the metric cannot judge this specimen.
        """
