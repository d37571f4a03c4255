"""The way from arrays of numbers to samples and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from otae.errors import DataError
from otae.interfaces import Preparation

from .array_file import Array, ArrayFile
from .idx_file import IdxFile
from .layout import Layout, arranged
from .sequences import cut, mark, pad, read_lengths
from .soundness import check_type, check_values


@dataclass(frozen=True)
class ArrayPreparation(Preparation):
    """Holds how arrays become samples.

    Args:
        data_shape: The shape of one sample.
        divisor: What values are divided by.
        layout: Where the channels of images stand.
        value_range: The smallest and largest value a sample may hold, or `None`.
        key: The key of the array in a `.npz` file, or `None` for the only one.
        lengths: The key of the lengths of padded sequences, or `None` where samples are no such sequences.
    """

    data_shape: tuple[int, ...]
    divisor: float
    layout: Layout
    value_range: tuple[float, float] | None = None
    key: str | None = None
    lengths: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "data_shape": list(self.data_shape),
            "divisor": self.divisor,
            "layout": self.layout,
            "value_range": None if self.value_range is None else list(self.value_range),
            "key": self.key,
            "lengths": self.lengths,
        }

    @classmethod
    def from_dict(cls, constants: Mapping[str, Any]) -> ArrayPreparation:
        low_high = constants["value_range"]
        shape, value_range = tuple(constants["data_shape"]), None if low_high is None else (low_high[0], low_high[1])
        more = (constants["key"], constants.get("lengths"))
        return cls(shape, constants["divisor"], constants["layout"], value_range, *more)

    def read(self, path: Path) -> Tensor:
        if _is_idx(path):
            return self._convert(IdxFile(path).read(), path)
        file = ArrayFile(path)
        besides = () if self.lengths is None else (self.lengths,)
        key = self.key if self.key in file.keys else file.choose(None, besides)
        array = file.read(key)
        if self.lengths is None:
            return self._convert(array, file.path)
        if self.lengths not in file.keys:
            raise DataError(
                f"'{path}' lacks the lengths of its sequences, {self.lengths!r}: numpy.savez(path, x=padded, {self.lengths}=…)."
            )
        lengths = read_lengths(file, self.lengths, array)
        return self._mark([row[:steps] for row, steps in zip(array, lengths, strict=True)], f"'{path}'")

    def prepare(self, raw: Any) -> Tensor:
        if self.lengths is not None:
            return self._mark(raw, "The sequences")
        return self._convert(np.asarray(raw), Path("the array"))

    def restore(self, samples: Tensor) -> Any:
        values = samples.detach().cpu().numpy() * self.divisor
        if self.lengths is not None:
            marked = values / np.concatenate([np.ones(self.data_shape[1] - 1), [self.divisor]])
            return cut(marked)
        return values.clip(0, 255).round().astype(np.uint8) if self.divisor == 255 else values

    def _mark(self, sequences: Any, where: str) -> Tensor:
        values, lengths = pad(sequences, self.data_shape[0], where)
        check_type(values, Path(where))
        if values.shape[2] != self.data_shape[1] - 1:
            raise DataError(
                f"{where}: steps have {values.shape[2]} channels, where the model was trained on {self.data_shape[1] - 1}."
            )
        scaled = values.astype(np.float32) / np.float32(1 if values.dtype.kind == "f" else self.divisor)
        check_values(scaled, self.value_range, Path(where))
        return torch.from_numpy(mark(scaled, lengths))

    def _convert(self, array: Array, path: Path) -> Tensor:
        check_type(array, path)
        found = array if array.shape[1:] == self.data_shape else arranged(array, self.layout, path)
        if found.shape[1:] != self.data_shape:
            raise DataError(
                f"'{path}' holds samples of shape {found.shape[1:]}, where the model was trained on {self.data_shape}. Crop or "
                "resize them to that."
            )
        scaled = array.dtype.kind == "f" and self.divisor != 1  # numbers with a fraction were divided already
        values = np.array(found, dtype=np.float32, order="C") / np.float32(1 if scaled else self.divisor)
        check_values(values, self.value_range, path)
        return torch.from_numpy(values)


def _is_idx(path: Path) -> bool:
    """Returns whether a file begins as IDX files do, plain or compressed."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(2) in (b"\0\0", b"\x1f\x8b")
