"""Datasets that read a batch at once, of which one sample is the smallest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor

from otae.interfaces import Dataset


class Batched(Dataset, ABC):
    """Creates a dataset that reads batches; a sample is a batch of one."""

    def __getitem__(self, index: int) -> Tensor:
        return self.__getitems__([index])[0]

    @abstractmethod
    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        """Returns a batch of samples, with shape (len(indices), *data_shape).

        Args:
            indices: The samples' indices.
        """
