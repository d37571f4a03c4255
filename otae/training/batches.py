"""Batches in an order that seed and epoch decide, resumable in the middle of an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

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
    """

    def __init__(
        self, dataset: Dataset, indices: Sequence[int], batch_size: int, seed: int | None = None, workers: int = 0
    ) -> None:
        self.dataset, self.indices, self.seed, self.workers = dataset, np.asarray(indices), seed, workers
        self.count = -(-len(indices) // batch_size)
        self.epoch, self.done = 0, 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Tensor]:
        first = self.done
        loader: DataLoader[Tensor] = DataLoader(
            self.dataset,
            batch_sampler=[part.tolist() for part in self._parts()[first:]],
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

    def seek(self, step: int) -> None:
        """Moves to a position, so that the next batch is the one after `step` batches of training.

        Args:
            step: The number of batches that were trained on, over all epochs.
        """
        self.epoch, self.done = divmod(step, self.count)


def _as_is(batch: Any) -> Any:
    return batch
