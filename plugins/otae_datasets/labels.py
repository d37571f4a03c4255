"""The labels that come with an array."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from otae.errors import DataError

from .array_file import Array, ArrayFile
from .paths import existing_file


def read_labels(samples: ArrayFile, labels: str | Path, count: int) -> Tensor:
    """Returns one integer class per sample, with shape (N,).

    Args:
        samples: The file of the samples.
        labels: The key of the labels in that file, or else a file of their own.
        count: The number of samples, N.

    Raises:
        DataError: If the labels are missing, are no integers, or differ from the samples in number.
    """
    array, path = find_array(samples, labels)
    if array.dtype.kind not in "biu":
        cure = "Number the classes: numpy.unique(labels, return_inverse=True)[1]"
        raise DataError(f"'{path}': the labels have type {array.dtype}, where integers are needed. {cure}.")
    if array.shape != (count,):
        needed = f"but the {count} samples of '{samples.path}' need ({count},)"
        cure = "Write one integer per sample, in the samples' order"
        raise DataError(f"'{path}': the labels have shape {array.shape}, {needed}. {cure}.")
    return torch.from_numpy(np.array(array, dtype=np.int64))


def find_array(samples: ArrayFile, labels: str | Path) -> tuple[Array, Path]:
    """Returns an array that goes with samples, and its file.

    Args:
        samples: The file of the samples.
        labels: The key of the array in that file, or else a file of its own.

    Raises:
        DataError: If there is neither.
    """
    if str(labels) in samples.keys:
        return samples.read(str(labels)), samples.path
    try:
        path = existing_file(labels)
    except DataError as error:
        keys = ", ".join(samples.keys) or "none, as it is a .npy file"
        raise DataError(f"{error} Nor is it a key of '{samples.path}'; its keys: {keys}.") from error
    file = ArrayFile(path)
    return file.read(file.choose(None)), path
