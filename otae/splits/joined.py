"""Datasets one after the other: the data of a run, and sets of their own for validation and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..interfaces import Dataset, Factors


class Joined(Dataset):
    """Holds datasets one after the other as one; what describes the data is that of the first.

    Args:
        parts: The datasets by name, of samples of one shape.

    Attributes:
        places: The indices of each part, by its name.
    """

    def __init__(self, parts: Mapping[str, Dataset]) -> None:
        super().__init__()
        self.parts = list(parts.values())
        ends = np.cumsum([len(part) for part in self.parts]).tolist()
        self._ends = np.array(ends)
        starts = [0, *ends[:-1]]
        self.places = {name: range(start, end) for name, start, end in zip(parts, starts, ends, strict=True)}
        first = self.parts[0]
        self.data_shape, self.value_range = tuple(first.data_shape), first.value_range
        self.class_names, self.features, self.preparation = first.class_names, first.features, first.preparation
        files = [part.files for part in self.parts if part.files is not None]
        if len(files) == len(self.parts):
            self.files = [file for each in files for file in each]
        labels = [part.labels for part in self.parts if part.labels is not None]
        if len(labels) == len(self.parts):
            self.labels = torch.cat(labels)
        factors = [part.factors for part in self.parts if part.factors is not None]
        if len(factors) == len(self.parts):
            self.factors = Factors(torch.cat([each.table for each in factors]), factors[0].kinds)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Tensor:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        positions = np.asarray(indices, dtype=np.int64)
        owners = np.searchsorted(self._ends, positions, side="right")
        if len(owners) and (owners == owners[0]).all():
            return self._read(int(owners[0]), positions)
        samples: Tensor | None = None
        for owner in np.unique(owners).tolist():
            chosen = np.flatnonzero(owners == owner)
            read = self._read(owner, positions[chosen])
            samples = read.new_empty(len(positions), *self.data_shape) if samples is None else samples
            samples[torch.from_numpy(chosen)] = read
        return torch.empty(0, *self.data_shape) if samples is None else samples

    def _read(self, owner: int, positions: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Tensor:
        part = self.parts[owner]
        return part.__getitems__((positions - (self._ends[owner] - len(part))).tolist())
