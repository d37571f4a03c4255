"""The indices of each split, and the short text in which a run keeps them."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Splits:
    """Holds the indices of each split, disjoint and covering the dataset.

    Args:
        train: The training samples.
        validation: The samples that training watches; empty where there are none.
        test: The samples that only the evaluation sees; empty where there are none.
    """

    train: list[int]
    validation: list[int]
    test: list[int]

    @property
    def sizes(self) -> dict[str, int]:
        """Returns the number of samples of each split."""
        return {name: len(indices) for name, indices in self.by_name.items()}

    @property
    def by_name(self) -> dict[str, list[int]]:
        """Returns the indices of each split by its name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def pack(self) -> str:
        """Returns the splits as a text: one byte a sample, compressed, in base64."""
        membership = np.zeros(sum(self.sizes.values()), dtype=np.uint8)
        for number, indices in enumerate(self.by_name.values()):
            membership[indices] = number
        return base64.b64encode(zlib.compress(membership.tobytes(), 9)).decode("ascii")

    @classmethod
    def unpack(cls, text: str, count: int) -> Splits:
        """Returns the splits of a text.

        Args:
            text: What `pack` returned.
            count: The number of samples.

        Raises:
            ValueError: If it does not tell the split of so many samples.
        """
        unpacker = zlib.decompressobj()
        try:
            content = unpacker.decompress(base64.b64decode(text, validate=True), count + 1)
        except zlib.error as error:
            raise ValueError(f"the splits are corrupt ({error})") from error
        membership = np.frombuffer(content, dtype=np.uint8)
        if len(membership) != count or (membership > 2).any():
            raise ValueError(f"the splits are not those of {count} samples")
        return cls.of_membership(membership)

    @classmethod
    def of_membership(cls, membership: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.uint8]]) -> Splits:
        """Returns the splits of samples.

        Args:
            membership: The split of each sample: 0 for training, 1 for validation, 2 for the test.
        """
        given = np.asarray(membership)
        train, validation, test = (np.flatnonzero(given == number).tolist() for number in range(3))
        return cls(train, validation, test)
