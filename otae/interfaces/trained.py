"""What metrics may ask of a trained model and its objective, beyond the clouds of a specimen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from torch import Generator, Tensor

from .cost import Cost
from .prior import Prior


class TrainedModel(Protocol):
    """The side of an autoencoder that metrics see."""

    @property
    def prior(self) -> Prior:
        """Returns the prior, for its density and its components."""

    def encode(self, x: Tensor, *, sample: bool = False, batch_size: int = 1024) -> Tensor:
        """Returns the codes of samples, with shape (N, latent_dim)."""

    def decode(self, z: Tensor, *, batch_size: int = 1024) -> Tensor:
        """Returns the decoded codes, with shape (N, *data_shape)."""

    def sample_codes(self, count: int, *, component: int | None = None, generator: Generator | None = None) -> Tensor:
        """Returns draws from the prior, with shape (count, latent_dim)."""


class TrainedTerm(Protocol):
    """The side of a term that metrics see: a cost, and the names of the clouds that it compares."""

    @property
    def cost(self) -> Cost:
        """Returns the cost."""

    @property
    def source(self) -> tuple[str, ...]:
        """Returns the names of the source cloud's members."""

    @property
    def target(self) -> tuple[str, ...] | None:
        """Returns the names of the target cloud's members, or `None`."""


class TrainedObjective(Protocol):
    """The side of an objective that metrics see."""

    def __iter__(self) -> Iterator[tuple[str, TrainedTerm]]:
        """Yields each term's name and the term."""
