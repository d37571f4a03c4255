"""What identifies the data of a run: their number, their form, and a checksum of their content."""

from __future__ import annotations

import hashlib

import numpy as np
from pydantic import BaseModel, ConfigDict

from .interfaces import Dataset

_VALUES, _SAMPLES = 2**22, 256


class Fingerprint(BaseModel):
    """Holds what identifies a dataset.

    Attributes:
        samples: The number of samples.
        data_shape: The shape of one.
        sha256: The checksum of the samples: of all where they are few, of some spread over the whole where they are many.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    samples: int
    data_shape: tuple[int, ...]
    sha256: str

    def __str__(self) -> str:
        form = " × ".join(map(str, self.data_shape))
        return f"{self.samples} samples of shape {form}, checksum {self.sha256[:12]}"


def compute_fingerprint(dataset: Dataset) -> Fingerprint:
    """Returns what identifies a dataset; of more than 4 million values, 256 samples are read.

    Args:
        dataset: The dataset.
    """
    count, size = len(dataset), int(np.prod(dataset.data_shape))
    chosen = np.arange(count)
    if count * size > _VALUES and count > _SAMPLES:
        chosen = np.unique(np.linspace(0, count - 1, _SAMPLES).round().astype(np.int64))
    digest = hashlib.sha256()
    for part in np.array_split(chosen, -(-len(chosen) // _SAMPLES) or 1):
        digest.update(dataset.__getitems__(part.tolist()).contiguous().numpy().tobytes())
    return Fingerprint(samples=count, data_shape=tuple(dataset.data_shape), sha256=digest.hexdigest())
