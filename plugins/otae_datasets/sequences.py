"""Sequences of unequal length: padded to the longest, with a last channel that is 1 where a step is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from otae.errors import DataError

from .array_file import Array, ArrayFile
from .labels import find_array


def read_lengths(samples: ArrayFile, lengths: str | Path, array: Array) -> NDArray[np.int64]:
    """Returns the number of steps of each sequence, with shape (N,).

    Args:
        samples: The file of the sequences.
        lengths: The key of the lengths in that file, or else a file of their own.
        array: The padded sequences, with shape (N, L) or (N, L, C).

    Raises:
        DataError: If they are missing, or are no whole numbers from 1 to L, one for each sequence.
    """
    found, path = find_array(samples, lengths)
    if array.ndim not in (2, 3):
        raise DataError(
            f"'{samples.path}' holds an array of shape {array.shape}, where padded sequences have shape (N, L) or (N, L, C)."
        )
    sound = found.shape == (len(array),) and found.dtype.kind in "iu"
    if not sound or found.min() < 1 or found.max() > array.shape[1]:
        told = f"of shape {found.shape} and type {found.dtype}"
        needed = f"{len(array)} whole numbers from 1 to {array.shape[1]} are needed, one for each sequence"
        raise DataError(f"'{path}' holds lengths {told}, where {needed}.")
    return found.astype(np.int64)


def pad(sequences: Sequence[Any], length: int | None, where: str) -> tuple[Array, NDArray[np.int64]]:
    """Returns sequences padded with zeros, with shape (N, L, C), and the number of steps of each.

    Args:
        sequences: The sequences, each with shape (steps,) or (steps, C).
        length: The length L to pad to; the longest one's where `None`.
        where: What they are, for messages.

    Raises:
        DataError: If one is empty or longer, or they differ in their channels.
    """
    arrays = [np.asarray(each) for each in sequences]
    arrays = [each[:, None] if each.ndim == 1 else each for each in arrays]
    channels = {each.shape[1:] for each in arrays}
    if len(channels) != 1 or any(each.ndim != 2 or not len(each) for each in arrays):
        raise DataError(f"{where}: sequences have shape (steps, C), with at least one step and the same C in all.")
    lengths = np.array([len(each) for each in arrays])
    longest = length or int(lengths.max())
    if (long := lengths > longest).any():
        place = int(long.argmax())
        raise DataError(
            f"{where}: sequence {place} has {lengths[place]} steps, where the model takes {longest} at most. Cut it, or train "
            "anew with such ones."
        )
    values = np.zeros((len(arrays), longest, *arrays[0].shape[1:]), dtype=np.result_type(*arrays))
    for row, each in zip(values, arrays, strict=True):
        row[: len(each)] = each
    return values, lengths


def mark(values: Array, lengths: NDArray[np.int64]) -> NDArray[np.float32]:
    """Returns sequences with nothing in their padding and the channel that tells it, with shape (N, L, C + 1).

    Args:
        values: The sequences, with shape (N, L, C) or (N, L).
        lengths: The number of steps of each, with shape (N,).
    """
    there = np.arange(values.shape[1]) < lengths[:, None]  # (N, L)
    channels = values if values.ndim == 3 else values[..., None]
    kept = np.where(there[..., None], channels, 0)
    return np.concatenate([kept, there[..., None]], axis=2, dtype=np.float32)


def cut(samples: Array) -> list[Array]:
    """Returns the sequences of samples, each up to the first step that is not there, without the channel that tells it.

    Args:
        samples: The samples, with shape (N, L, C + 1).
    """
    there = np.cumprod(samples[..., -1] > 0.5, axis=1).sum(axis=1)
    return [sample[: max(1, steps), :-1] for sample, steps in zip(samples, there, strict=True)]
