"""The interface of datasets: samples by index, all of one shape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.utils import data

from .factors import Factors
from .preparation import Preparation
from .source import Source


@dataclass(frozen=True)
class Feature:
    """Describes one entry of a sample.

    Args:
        name: Its name, such as that of a table's column.
        unit: Its unit, such as `kg`, or `None`.
        category: The category that a one-hot entry stands for, or `None` where the entry is a number of its own.
        shift: What was taken away from the number that the entry stands for.
        scale: What it was divided by then.
        log: Whether its natural logarithm was taken first.
    """

    name: str
    unit: str | None = None
    category: str | None = None
    shift: float = 0.0
    scale: float = 1.0
    log: bool = False

    @property
    def title(self) -> str:
        """Returns the name with its unit or its category."""
        return self.name + (f" ({self.unit})" if self.unit else "") + (f"={self.category}" if self.category else "")

    def measure(self, entries: Tensor) -> Tensor:
        """Returns the numbers that entries stand for, in their unit, in double precision.

        Args:
            entries: The entries, of any shape.
        """
        values = entries.double() * self.scale + self.shift
        return values.exp() if self.log else values


class Dataset(data.Dataset[Tensor], ABC):
    """Creates a collection of samples, read by index.

    Attributes:
        data_shape: The shape of one sample, such as (1, 8, 8); set by the subclass.
        labels: One integer class per sample, with shape (N,), for evaluation only; `None` where there are none.
        factors: What generated each sample: a table with shape (N, F), and of each factor its name and kind (categorical,
            ordered, circular), for evaluation only; `None` where that is not known.
        class_names: A name for each class of `labels`, in their order, or `None`.
        features: What each entry of a sample is, for data whose entries have names, such as a table's columns; `None`
            elsewhere.
        value_range: The smallest and largest value a sample may hold, or `None` where unbounded.
        files: The name of each sample's own file, relative to the folder of the data; `None` where samples have none.
        official_split: The split that the data come with, 0 for training, 1 for validation, 2 for the test, with shape (N,);
            `None` where they come with none.
        preparation: The way from raw data to samples, with the constants of these data, or `None`; runs keep it.
        preparations: The class of `preparation`, by which a run finds its way back, or `None`.
        sources: What `otae data fetch` gets for it.
    """

    data_shape: tuple[int, ...]
    labels: Tensor | None = None
    factors: Factors | None = None
    class_names: tuple[str, ...] | None = None
    features: tuple[Feature, ...] | None = None
    value_range: tuple[float, float] | None = None
    files: Sequence[str] | None = None
    official_split: Tensor | None = None
    preparation: Preparation | None = None
    preparations: ClassVar[type[Preparation] | None] = None
    sources: ClassVar[tuple[Source, ...]] = ()

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    def __len__(self) -> int:
        """Returns the number of samples."""

    @abstractmethod
    def __getitem__(self, index: int) -> Tensor:
        """Returns one sample, a floating-point tensor with shape data_shape.

        Args:
            index: The sample's index, in [0, N).
        """

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        """Returns a batch of samples, with shape (len(indices), *data_shape); override where a batch is cheaper than its parts.

        Args:
            indices: The samples' indices.
        """
        return torch.stack([self[index] for index in indices])
