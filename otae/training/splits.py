"""The split of a dataset into train, validation and test, by seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..config import DataConfig
from ..errors import DataError


@dataclass(frozen=True)
class Splits:
    """Creates the indices of each split, disjoint and covering the dataset.

    Args:
        train: The training samples.
        validation: The samples that training watches.
        test: The samples that only the evaluation sees.
    """

    train: list[int]
    validation: list[int]
    test: list[int]


def split(size: int, config: DataConfig, seed: int) -> Splits:
    """Returns a random split of `size` samples; the same seed gives the same split.

    Args:
        size: The number of samples.
        config: The shares of validation and test.
        seed: The experiment's seed.

    Raises:
        DataError: If a split would be empty.
    """
    validation, test = round(size * config.validation), round(size * config.test)
    train = size - validation - test
    if min(train, validation, test) < 1:
        raise DataError(
            f"{size} samples split into {train} for training, {validation} for validation and {test} for the test: "
            "each needs at least one. Give more data, or other shares in data.validation and data.test."
        )
    order = np.random.default_rng(seed).permutation(size).tolist()
    return Splits(sorted(order[:train]), sorted(order[train : train + validation]), sorted(order[train + validation :]))
