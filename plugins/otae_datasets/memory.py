"""The dataset of data in memory: an array, a data frame, or another dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from otae.errors import ConfigError, DataError
from otae.interfaces import Dataset, Factor, Factors, InMemory

from .array_file import Array
from .array_preparation import ArrayPreparation
from .batched import Batched
from .column_rules import Learning
from .columns import frame_columns, to_objects
from .encodings import Missing, Scaling
from .indices import checked
from .layout import Layout, arranged
from .sequences import mark, pad
from .soundness import check_type, check_values, exceeds
from .table_content import learn_table, number_classes
from .tagged_preparation import TaggedPreparation, wrap

_ARRAY, _FRAME = Path("the array"), "The data frame"


class Memory(Batched):
    """Creates a dataset from data in memory: arrays as the dataset `arrays` takes them, data frames as `table` does.

    `otae.train(experiment, data=…)` puts it in place of the configured one. No file holds these data: they are handed over
    again where a run's own data are needed, while new data are encoded without them. A list of arrays of unequal length is
    one of sequences, padded as the dataset `arrays` takes them with `lengths`.

    Args:
        memory: The data; handed over by the program.
        columns: The columns of a data frame to use; all but the label where `None`.
        categorical: Columns of numbers that are categories all the same.
        scaling: Of data frames, `standard` for mean 0 and standard deviation 1, `min-max` for [0, 1], `none` to keep
            numbers. Of arrays, `none` keeps 8-bit values, which are divided by 255 else, unless all are 0 or 1.
        missing: `refuse` missing values of a data frame, or `impute` them.
        max_categories: The largest number of categories of a column.
        units: The unit of a column, by its name.
        layout: Where the channels of images with four axes stand; `none` keeps the axes of samples that are no images.
        value_range: The smallest and largest value that a sample of an array may hold, after scaling.

    Raises:
        ConfigError: If an option names a column that is not there, or the value range is empty.
        DataError: If the data do not hold what they should; the message says what to do.

    Examples:
        >>> dataset = Memory(InMemory(np.zeros((5, 28, 28), dtype="uint8"), labels=["a", "b", "a", "a", "b"]))
        >>> dataset.data_shape, dataset.labels.tolist(), dataset.class_names
        ((1, 28, 28), [0, 1, 0, 0, 1], ('a', 'b'))
    """

    preparations = TaggedPreparation

    def __init__(
        self,
        memory: InMemory,
        *,
        columns: list[str] | None = None,
        categorical: list[str] | None = None,
        scaling: Scaling = "standard",
        missing: Missing = "refuse",
        max_categories: Annotated[int, Field(gt=0, le=1_000_000)] = 100,
        units: dict[str, str] | None = None,
        layout: Layout = "auto",
        value_range: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        self.data: Dataset | None = None
        values = memory.values
        if isinstance(values, Dataset):
            self._take_dataset(values)
        elif isinstance(values, pd.DataFrame):
            chosen = frozenset(categorical or ())
            learning = Learning(chosen, scaling, missing, ".", max_categories, _FRAME, units or {})
            self._take_frame(values, columns, memory.labels, learning)
        else:
            self._take_array(values, layout, scaling, value_range)
        if memory.labels is not None and not isinstance(memory.labels, str):
            self.class_names, self.labels = _number_labels(memory.labels, len(self))
        if memory.factors is not None:
            self.factors = _read_factors(memory.factors, len(self))

    def _take_dataset(self, data: Dataset) -> None:
        self.data, self.data_shape, self.value_range = data, tuple(data.data_shape), data.value_range
        self.labels, self.factors, self.class_names = data.labels, data.factors, data.class_names
        self.features, self.official_split, self.files = data.features, data.official_split, data.files
        self.preparation = wrap(data.preparation)

    def _take_frame(self, frame: pd.DataFrame, columns: list[str] | None, labels: Any, learning: Learning) -> None:
        label = labels if isinstance(labels, str) else None
        if label is not None and label in (columns or ()):
            raise ConfigError(f"The label {label!r} cannot be one of the columns: the model would see the answer.")
        wanted = None if columns is None else [*columns, *([] if label is None else [label])]
        content = learn_table(frame_columns(frame, wanted), label, learning)
        self._samples: Tensor | Array = content.samples
        self._divisor, self.features, self.preparation = 1, content.features, TaggedPreparation(content.preparation)
        self.labels, self.class_names, self.data_shape = content.labels, content.class_names, content.samples.shape[1:]
        self.value_range = (0.0, 1.0) if learning.scaling == "min-max" else None

    def _take_array(
        self, values: Any, layout: Layout, scaling: Literal["standard", "min-max", "none"], value_range: Any
    ) -> None:
        if value_range is not None and not value_range[0] < value_range[1]:
            raise ConfigError(f"value_range must be (smallest, largest), got {value_range}.")
        lengths = None
        if isinstance(values, list | tuple) and len({len(each) for each in values}) > 1:
            array, lengths = pad(values, None, "The sequences")
        else:
            array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
        check_type(array, _ARRAY)
        samples = array if lengths is not None else arranged(array, layout, _ARRAY)
        small = scaling != "none" and samples.dtype in (np.uint8, np.bool_)
        self._samples, self._divisor = samples, 255 if small and exceeds(samples, 1) else 1
        self.value_range = (0.0, 1.0) if small and value_range is None else value_range
        declared = value_range and (value_range[0] * self._divisor, value_range[1] * self._divisor)
        check_values(samples, declared, _ARRAY)
        if lengths is not None:
            self._samples, layout = mark(samples / self._divisor, lengths), "none"
        self.data_shape = tuple(self._samples.shape[1:])
        told = None if lengths is None else "lengths"
        constants = ArrayPreparation(self.data_shape, self._divisor, layout, self.value_range, None, told)
        self._divisor = 1 if lengths is not None else self._divisor
        self.preparation = TaggedPreparation(constants)

    def __len__(self) -> int:
        return len(self._samples if self.data is None else self.data)

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        positions = checked(indices, len(self))
        if self.data is not None:
            return self.data.__getitems__(positions.tolist())
        if isinstance(self._samples, Tensor):
            return self._samples[torch.from_numpy(positions)]
        return torch.from_numpy(np.array(self._samples[positions], dtype=np.float32, order="C")).div_(self._divisor)


def _number_labels(labels: Any, count: int) -> tuple[tuple[str, ...] | None, Tensor]:
    values = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if values.shape != (count,):
        raise DataError(
            f"The labels have shape {values.shape}, where {count} samples need one each. Give them in their order."
        )
    if values.dtype.kind in "iub" and values.min() >= 0:
        return None, torch.from_numpy(values.astype(np.int64))
    return number_classes(to_objects(values.tolist(), "labels", "The labels"), "a label", ".", "The labels")


def _read_factors(given: Any, count: int) -> Factors:
    factors = given if isinstance(given, Factors) else _describe_factors(given)
    if len(factors) != count:
        raise DataError(f"There are factors of {len(factors)} samples, where there are {count}. Give a row for each.")
    return factors


def _describe_factors(given: Any) -> Factors:
    """Returns factors, whole numbers and text as categories, all else as ordered quantities."""
    frame = given if isinstance(given, pd.DataFrame) else pd.DataFrame(np.asarray(given))
    columns = [_read_factor(str(name), frame.iloc[:, place].tolist()) for place, name in enumerate(frame.columns)]
    return Factors(torch.stack([values for values, _ in columns], dim=1), tuple(kind for _, kind in columns))


def _read_factor(name: str, values: list[Any]) -> tuple[Tensor, Factor]:
    array = np.asarray(values)
    if array.dtype.kind == "f":
        return torch.from_numpy(array.astype(np.float64)), Factor(name)
    names, numbers = number_classes(to_objects(values, name, "The factors"), f"the factor {name!r}", ".", "The factors")
    labels = names if len(names) > 1 else None
    known = tuple(float(number) for number in range(len(names)))
    return numbers.double(), Factor(name, "categorical", known, labels=labels)
