"""Sets of their own for validation and test: opened as the data are, with the constants of the data."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..build import create_dataset
from ..config import DataConfig, Experiment, OwnSet
from ..errors import ConfigError, DataError
from ..interfaces import Dataset, InMemory
from ..registry import datasets
from ..signature import parameters
from .index_files import find_file
from .joined import Joined


def open_data(experiment: Experiment, memory: InMemory | None = None) -> Dataset:
    """Returns the data of an experiment, joined with the sets of their own that have a path.

    Args:
        experiment: The experiment.
        memory: The data in memory, for a dataset that takes them, or `None`.

    Raises:
        DataError: If files are missing or corrupt, or a set of its own does not fit the data.
    """
    return join_own_sets(create_dataset(experiment.data, memory=memory), experiment.data)


def join_own_sets(dataset: Dataset, config: DataConfig) -> Dataset:
    """Returns data joined with the sets of their own that have a path; the data themselves where there are none.

    Args:
        dataset: The data.
        config: The data section.

    Raises:
        DataError: If files are missing or corrupt, or a set of its own does not fit the data.
    """
    own = {"validation": config.validation, "test": config.test}
    paths = {name: each.path for name, each in own.items() if isinstance(each, OwnSet) and each.path is not None}
    parts = {name: _open(dataset, config, path, f"data.{name}") for name, path in paths.items()}
    return Joined({"data": dataset, **parts}) if parts else dataset


def _open(dataset: Dataset, config: DataConfig, path: str, where: str) -> Dataset:
    if "path" not in parameters(datasets.get(config.name)):
        raise ConfigError(
            f"{where}: the dataset {config.name!r} reads no path. Give a share, or the indices of samples: {{indices: FILE}}."
        )
    file = find_file(path, where)
    other = config.model_copy(deep=True)
    other.__pydantic_extra__ = {**config.options, "path": str(file)}
    opened = create_dataset(other, where)
    _take_labels(opened, dataset, where)
    if dataset.preparation is not None and opened.preparation != dataset.preparation:
        return _Prepared(opened, dataset.preparation.read(file), where)
    if tuple(opened.data_shape) != tuple(dataset.data_shape):
        raise DataError(
            f"{where}: '{file}' holds samples of shape {tuple(opened.data_shape)}, where the data have "
            f"{tuple(dataset.data_shape)}. Bring them to that shape."
        )
    return opened


def _take_labels(opened: Dataset, dataset: Dataset, where: str) -> None:
    """Numbers the classes of a set of its own as those of the data are, in place."""
    known, names = dataset.class_names, opened.class_names
    if opened.labels is None or known is None or names is None or names == known:
        return
    present = [names[number] for number in torch.unique(opened.labels).tolist()]
    if unknown := [name for name in present if name not in known]:
        raise DataError(
            f"{where}: the class {unknown[0]!r} does not occur in the data, whose classes are {', '.join(known[:10])}. Drop such "
            "samples, or add some to the data."
        )
    numbers = torch.tensor([known.index(name) if name in known else -1 for name in names])
    opened.labels, opened.class_names = numbers[opened.labels], known


class _Prepared(Dataset):
    """Holds a set of its own whose samples went the way of the data."""

    def __init__(self, opened: Dataset, samples: Tensor, where: str) -> None:
        super().__init__()
        if len(samples) != len(opened):
            raise DataError(
                f"{where}: it holds {len(opened)} samples, of which {len(samples)} can be read as the data are."
            )
        self._samples, self.data_shape = samples, tuple(samples.shape[1:])
        self.labels, self.factors, self.class_names = opened.labels, opened.factors, opened.class_names
        self.files = opened.files

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Tensor:
        return self._samples[index]

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        return self._samples[list(indices)]
