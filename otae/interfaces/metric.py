"""The interface of metrics: figures that judge a trained autoencoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Specimen:
    """Creates what a metric looks at: one split of the data and what the model makes of it, all on the CPU.

    Args:
        data: The samples of the split, with shape (N, *data_shape).
        codes: Their codes (means), with shape (N, latent_dim).
        reconstructions: Their reconstructions from those codes, with shape (N, *data_shape).
        generations: Decoded draws from the prior, with shape (M, *data_shape).
        prior: The codes of those draws, with shape (M, latent_dim).
        train: The training samples, for baselines fitted to them, with shape (T, *data_shape).
        labels: One integer class per sample, with shape (N,), or `None`.
        factors: What generated each sample, with shape (N, F), or `None`.
        factor_names: A name for each factor, or `None`.
        seed: The seed that any draw of the metric must start from.
        draws: One draw from the law of each code, with shape (N, latent_dim), or `None` where it is not known.
    """

    data: Tensor
    codes: Tensor
    reconstructions: Tensor
    generations: Tensor
    prior: Tensor
    train: Tensor
    labels: Tensor | None = None
    factors: Tensor | None = None
    factor_names: tuple[str, ...] | None = None
    seed: int = 0
    draws: Tensor | None = None


class Metric(ABC):
    """Creates a judge of a trained autoencoder.

    Attributes:
        needs_labels: Whether it can only judge data with labels.
        needs_factors: Whether it can only judge data with known factors.
    """

    needs_labels: ClassVar[bool] = False
    needs_factors: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    def __call__(self, specimen: Specimen) -> dict[str, float]:
        """Returns named figures, each a finite number.

        Args:
            specimen: The split and what the model makes of it.
        """
