"""Where outliers come from: a change of the samples themselves, or another dataset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from torch import Generator, Tensor

from otae.errors import ConfigError, NotApplicableError
from otae.interfaces import Dataset, Specimen

Change: TypeAlias = Literal["rotated", "inverted", "noise"]


def change(kind: Change, specimen: Specimen) -> Tensor:
    """Returns the samples of a split, changed so that they are none of their law any more, with their shape.

    Args:
        kind: `rotated` by a quarter turn, or half a turn where pictures are not square; `inverted` within the values
            that training samples take; `noise` for entries that are each drawn from their values in training samples.
        specimen: The specimen.

    Raises:
        NotApplicableError: If samples are no pictures and shall be rotated.
    """
    return _CHANGES[kind](specimen)


def others(dataset: Dataset, specimen: Specimen, limit: int) -> Tensor:
    """Returns samples of another dataset, at most `limit`, drawn by seed.

    Args:
        dataset: The dataset.
        specimen: The specimen, whose samples have the same shape.
        limit: The largest number of samples.

    Raises:
        ConfigError: If the samples have another shape.
    """
    expected = tuple(specimen.data.shape[1:])
    if tuple(dataset.data_shape) != expected:
        raise ConfigError(
            f"Outliers are compared with samples of shape {expected}, but those of `against` have shape "
            f"{tuple(dataset.data_shape)}. Choose a dataset of the same shape, or options that give it."
        )
    order = torch.randperm(len(dataset), generator=Generator().manual_seed(specimen.seed))
    return dataset.__getitems__(sorted(order[:limit].tolist())).to(specimen.data.dtype)


def _rotate(specimen: Specimen) -> Tensor:
    data = specimen.data
    if data.ndim < 3:
        raise NotApplicableError(
            "Samples without rows and columns cannot be rotated: set `against` to `noise` or a dataset."
        )
    return torch.rot90(data, 1 if data.shape[-1] == data.shape[-2] else 2, (-2, -1))


def _invert(specimen: Specimen) -> Tensor:
    known = specimen.train.data
    return known.min() + known.max() - specimen.data


def _noise(specimen: Specimen) -> Tensor:
    known = specimen.train.data.flatten(1)
    generator = Generator().manual_seed(specimen.seed)
    rows = torch.randint(len(known), (len(specimen.data), known.shape[1]), generator=generator)
    return known.gather(0, rows).reshape(specimen.data.shape)


_CHANGES: dict[Change, Callable[[Specimen], Tensor]] = {"rotated": _rotate, "inverted": _invert, "noise": _noise}
