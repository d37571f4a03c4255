"""The dataset of a NumPy file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from otae.errors import ConfigError
from otae.interfaces import Dataset

from .array_file import Array, ArrayFile, require_whole
from .array_preparation import ArrayPreparation
from .labels import read_labels
from .layout import Layout, arranged
from .sequences import mark, read_lengths
from .soundness import check_type, check_values, exceeds


class Arrays(Dataset):
    """Creates a dataset from a NumPy file: images (N, H, W), (N, C, H, W) or (N, H, W, C), tables or codes (N, d).

    Under `layout: none`, samples of any shape: sequences (N, length, channels), sets of points (N, points, dims).

    A `.npy` file is mapped into memory and read sample by sample, so it may be larger than the memory; a `.npz` file is
    read whole. All values are checked once. Samples are float32, images have their channels first.

    Args:
        path: The `.npy` or `.npz` file; `~` is the home folder, a relative path starts at the working directory.
        key: The name of the array in a `.npz` file; not needed where there is only one besides the labels.
        labels: The name of the labels in the same `.npz` file, or a file of their own: one integer per sample.
        layout: Where the channels of images with four axes stand; `auto` looks for the one axis of 1, 3 or 4 entries;
            `none` keeps the axes of samples that are no images.
        scaling: `auto` divides 8-bit values (uint8) by 255, unless all are 0 or 1, and keeps others; `none` keeps all.
        lengths: The name of the lengths of sequences in the same `.npz` file, or a file of their own: one whole number per
            sample. Samples are then padded sequences, (N, L, C) or (N, L), and get a last channel that is 1 where a step is
            there and 0 in the padding: for `padded: true` of the encoder and decoder `sequence` and of the cost `paired`.
        value_range: The smallest and largest value that a sample may hold, after scaling, which a decoder may use;
            (0, 1) where `auto` meets 8-bit or boolean values, else unbounded unless declared here.

    Raises:
        ConfigError: If the value range is empty.
        DataError: If a file is missing, damaged, or does not hold what it should; the message names it.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "images.npy"
        >>> np.save(path, np.zeros((5, 28, 28), dtype="uint8"))
        >>> dataset = Arrays(path)
        >>> len(dataset), dataset.data_shape, dataset.value_range
        (5, (1, 28, 28), (0.0, 1.0))
    """

    preparations = ArrayPreparation

    def __init__(
        self,
        path: str | Path,
        *,
        key: str | None = None,
        labels: str | Path | None = None,
        layout: Layout = "auto",
        scaling: Literal["auto", "none"] = "auto",
        lengths: str | Path | None = None,
        value_range: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        if value_range is not None and not value_range[0] < value_range[1]:
            raise ConfigError(f"value_range must be (smallest, largest), got {value_range}.")
        self._file, self._layout = ArrayFile(path), layout if lengths is None else "none"
        self._key = self._file.choose(key, besides=tuple(str(each) for each in (labels, lengths) if each is not None))
        self._samples = self._open()
        small = scaling == "auto" and self._samples.dtype in (np.uint8, np.bool_)
        self._divisor = 255 if small and exceeds(self._samples, 1) else 1
        self.value_range = (0.0, 1.0) if small and value_range is None else value_range
        self._lengths = None if lengths is None else read_lengths(self._file, lengths, self._samples)
        self.data_shape = tuple(self._tensor(slice(1)).shape[1:])
        declared = value_range and (value_range[0] * self._divisor, value_range[1] * self._divisor)
        check_values(self._samples, declared, self._file.path)
        self.preparation = ArrayPreparation(
            self.data_shape,
            self._divisor,
            self._layout,
            self.value_range,
            self._key,
            None if lengths is None else str(lengths),
        )
        self.labels = None if labels is None else read_labels(self._file, labels, len(self))

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Tensor:
        return self._tensor([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        return self._tensor(np.asarray(indices, dtype=np.int64))

    def __getstate__(self) -> dict[str, Any]:
        # A memory map would be sent whole to another process, which can as well open the file itself.
        return {**vars(self), "_samples": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._samples = self._open()

    def _open(self) -> Array:
        array = self._file.read(self._key)
        check_type(array, self._file.path)
        return arranged(array, self._layout, self._file.path)

    def _tensor(self, chosen: Any) -> Tensor:
        require_whole(self._samples, self._file.path)
        with np.errstate(over="ignore"):  # what is beyond single precision is refused as not finite
            values = np.array(self._samples[chosen], dtype=np.float32, order="C") / np.float32(self._divisor)
        return torch.from_numpy(values if self._lengths is None else mark(values, self._lengths[chosen]))
