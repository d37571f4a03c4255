"""The drawing of splits: at random, by labels, by groups, or as the data come with."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..config import DataConfig, Groups, OwnSet
from ..errors import DataError
from ..interfaces import Dataset
from .index_files import read_groups, read_indices
from .joined import Joined
from .splits import Splits

Indices: TypeAlias = NDArray[np.int64]

_TRAIN, _HELD_OUT = 0, {"validation": 1, "test": 2}


def split(size: int, config: DataConfig, seed: int) -> Splits:
    """Returns a random split of `size` samples; the same seed gives the same split.

    Args:
        size: The number of samples.
        config: The shares of validation and test.
        seed: The experiment's seed.

    Raises:
        DataError: If a split that was asked for would be empty.
    """
    membership = _draw_random(size, _wanted(size, config), np.random.default_rng(seed))
    return _checked(membership, config)


def draw_splits(dataset: Dataset, config: DataConfig, seed: int) -> Splits:
    """Returns the splits of a dataset; the same seed gives the same ones.

    Sets of their own come first; shares, which are of all samples of the data, are drawn from the rest.

    Args:
        dataset: The dataset, joined with the sets of their own that have a path.
        config: The data section.
        seed: The experiment's seed.

    Raises:
        DataError: If a split that was asked for would be empty, a file of indices or groups does not fit, or the data lack the
            labels or the official split that the rule needs.
    """
    places = dataset.places if isinstance(dataset, Joined) else {"data": range(len(dataset))}
    count = len(places["data"])
    membership = np.zeros(len(dataset), dtype=np.uint8)
    for name, number in _HELD_OUT.items():
        membership[places.get(name, range(0))] = number
    membership[:count] = _take_indices(count, config)
    rest = np.flatnonzero(membership[:count] == _TRAIN)
    membership[rest] = _draw(dataset, config, rest, _wanted(count, config), np.random.default_rng(seed))
    return _checked(membership, config)


def _wanted(count: int, config: DataConfig) -> dict[str, int]:
    """Returns the number of samples to draw for each split; none for a set of its own."""
    held_out = {name: getattr(config, name) for name in _HELD_OUT}
    return {name: 0 if isinstance(each, OwnSet) else round(count * each) for name, each in held_out.items()}


def _take_indices(count: int, config: DataConfig) -> NDArray[np.uint8]:
    """Returns the split of each sample by the files of indices alone."""
    membership = np.zeros(count, dtype=np.uint8)
    for name, number in _HELD_OUT.items():
        held_out = getattr(config, name)
        if isinstance(held_out, OwnSet) and held_out.indices is not None:
            chosen = read_indices(held_out.indices, count, f"data.{name}.indices")
            if (twice := membership[chosen] != _TRAIN).any():
                raise DataError(
                    f"data.{name}.indices: the sample {chosen[twice][0]} is in the validation split already. Let each sample "
                    "be in one split."
                )
            membership[chosen] = number
    return membership


def _draw(
    dataset: Dataset, config: DataConfig, rest: Indices, wanted: dict[str, int], random: Generator
) -> NDArray[np.uint8]:
    rule = config.split_by
    if isinstance(rule, Groups):
        return _draw_groups(read_groups(rule, dataset, "data.split_by")[rest], wanted, random)
    if rule == "random":
        return _draw_random(len(rest), wanted, random)
    if rule == "official":
        return _take_official(dataset, config, rest, wanted, random)
    if dataset.labels is None:
        raise DataError(
            "data.split_by: labels needs labels, and these data have none. Name them by an option of the dataset, or take random."
        )
    return _draw_by_labels(dataset.labels.numpy()[rest], wanted, random)


def _draw_random(size: int, wanted: dict[str, int], random: Generator) -> NDArray[np.uint8]:
    return _cut(random.permutation(size), wanted)


def _draw_by_labels(labels: NDArray[Any], wanted: dict[str, int], random: Generator) -> NDArray[np.uint8]:
    """Returns splits in which each class has its share, up to one sample: the classes take turns along a row of samples."""
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.lexsort((random.random(len(labels)), classes))
    ranks = np.empty(len(labels))
    ranks[order] = np.concatenate([np.arange(count) for count in counts])
    turns = (ranks + random.random(len(counts))[classes]) / counts[classes]  # evenly spread over [0, 1)
    return _cut(np.argsort(turns, kind="stable"), wanted)


def _cut(row: Indices, wanted: dict[str, int]) -> NDArray[np.uint8]:
    """Returns the splits of a row of samples: training first, then validation, then the test."""
    train = max(0, len(row) - sum(wanted.values()))
    membership = np.zeros(len(row), dtype=np.uint8)
    membership[row[train : train + wanted["validation"]]] = _HELD_OUT["validation"]
    membership[row[train + wanted["validation"] :]] = _HELD_OUT["test"]
    return membership


def _draw_groups(groups: NDArray[Any], wanted: dict[str, int], random: Generator) -> NDArray[np.uint8]:
    """Returns splits of whole groups in random order, each as near to what is wanted as whole groups come."""
    names, owners, counts = np.unique(groups, return_inverse=True, return_counts=True)
    asked = [name for name, number in wanted.items() if number]
    if len(names) < len(asked) + 1:
        raise DataError(
            f"data.split_by: {len(names)} groups cannot be shared by {len(asked) + 1} splits: each needs at least one. Leave a "
            "split out by a share of 0, or take finer groups."
        )
    order, taken = random.permutation(len(names)), 0
    membership = np.zeros(len(names), dtype=np.uint8)
    for left, name in zip(range(len(asked), 0, -1), asked, strict=True):
        sizes = np.cumsum(counts[order[taken : len(names) - left]])  # one group is left for each split that follows
        number = int(np.abs(sizes - wanted[name]).argmin()) + 1
        membership[order[taken : taken + number]] = _HELD_OUT[name]
        taken += number
    return membership[owners]


def _take_official(
    dataset: Dataset, config: DataConfig, rest: Indices, wanted: dict[str, int], random: Generator
) -> NDArray[np.uint8]:
    """Returns the split that the data come with; what they come without is drawn from its training samples."""
    if dataset.official_split is None:
        raise DataError(
            f"data.split_by: the dataset {config.name!r} has no official split as it is configured. Datasets that have one, such "
            "as idx, celeba and hf, have it where they read all: part: all, split: all for hf. Else take random."
        )
    membership: NDArray[np.uint8] = dataset.official_split.numpy().astype(np.uint8)[rest]
    train = random.permutation(np.flatnonzero(membership == _TRAIN))
    for name, number in _HELD_OUT.items():
        if not (membership == number).any():
            membership[train[: wanted[name]]] = number
            train = train[wanted[name] :]
    return membership


def _checked(membership: NDArray[np.uint8], config: DataConfig) -> Splits:
    splits = Splits.of_membership(membership)
    needed = ["train", *(name for name in _HELD_OUT if getattr(config, name) != 0)]
    if any(splits.sizes[name] < 1 for name in needed):
        train, validation, test = splits.sizes.values()
        raise DataError(
            f"{len(membership)} samples split into {train} for training, {validation} for validation and {test} for the test: "
            "each needs at least one. Give more data, or other shares in data.validation and data.test, where 0 leaves a split "
            "out."
        )
    return splits
