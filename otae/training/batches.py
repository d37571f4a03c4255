"""Batches in an order that seed and epoch decide, resumable in the middle of an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ..errors import DataError
from ..faults import blaming
from ..interfaces import Dataset


class Batches:
    """Creates the batches of one split, epoch after epoch.

    All samples occur once an epoch, in batches whose sizes differ by one at the most: no batch is tiny, none is dropped.

    Args:
        dataset: The dataset.
        indices: The samples of the split.
        batch_size: The largest size of a batch.
        seed: The seed of the order; the order is fixed where it is `None`.
        workers: The number of processes that read ahead.
        processes: The number of processes that share each batch.
        rank: The number of this one; it reads its share alone.

    Raises:
        DataError: If a batch has fewer samples than there are processes.
    """

    def __init__(
        self,
        dataset: Dataset,
        indices: Sequence[int],
        batch_size: int,
        seed: int | None = None,
        workers: int = 0,
        processes: int = 1,
        rank: int = 0,
    ) -> None:
        self.dataset, self.indices, self.seed, self.workers = dataset, np.asarray(indices), seed, workers
        self.count = -(-len(indices) // batch_size)
        self.epoch, self.done = 0, 0
        self.processes, self.rank = processes, rank
        if self.measure(self.count - 1) < processes:
            raise DataError(
                f"Batches of {self.measure(self.count - 1)} samples cannot be shared by {processes} processes: set a larger "
                "data.batch_size, give more data, or fewer training.devices."
            )

    def measure(self, position: int) -> int:
        """Returns the number of samples of a batch, over all processes.

        Args:
            position: The position of the batch in its epoch.
        """
        return len(self.indices) // self.count + (position < len(self.indices) % self.count)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Tensor]:
        first = self.done
        loader: DataLoader[Tensor] = DataLoader(
            self.dataset,
            batch_sampler=[self._keep_share(part) for part in self._parts()[first:]],
            collate_fn=_as_is,
            num_workers=self.workers,
            generator=torch.Generator().manual_seed(0),  # a private one: reading must not move the global random state
        )
        for position, batch in enumerate(self._read(loader), start=first):
            last = position + 1 == self.count
            self.epoch, self.done = (self.epoch + 1, 0) if last else (self.epoch, position + 1)
            yield batch

    def _read(self, loader: DataLoader[Tensor]) -> Iterator[Tensor]:
        """Yields the batches; what the dataset raises, here or in a process that reads ahead, is told as its own."""
        with blaming("data", self.dataset):
            batches = iter(loader)
        while True:
            with blaming("data", self.dataset):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def _parts(self) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
        order = self.indices
        if self.seed is not None:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(order)
        return np.array_split(order, self.count)

    def _keep_share(self, part: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[int]:
        kept: list[int] = np.array_split(part, self.processes)[self.rank].tolist()
        return kept

    def seek(self, step: int) -> None:
        """Moves to a position, so that the next batch is the one after `step` batches of training.

        Args:
            step: The number of batches that were trained on, over all epochs.
        """
        self.epoch, self.done = divmod(step, self.count)


def _as_is(batch: Any) -> Any:
    return batch
