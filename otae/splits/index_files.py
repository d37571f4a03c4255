"""Files that tell a split: the indices of its samples, or the group of each sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import Groups
from ..errors import DataError, unknown_name
from ..interfaces import Dataset, data_folder

_TABLES = (".csv", ".tsv", ".parquet")


def find_file(path: str, where: str) -> Path:
    """Returns the absolute path of a file or folder that a configuration names.

    Args:
        path: The path; `~` is the home folder, a relative path starts at the working directory, or else the data folder.
        where: The option that names it, for messages.

    Raises:
        DataError: If there is none.
    """
    given = Path(path).expanduser()
    places = list(dict.fromkeys([given.absolute(), data_folder() / given]))
    if (found := next((place for place in places if place.exists()), None)) is None:
        looked = ", nor ".join(f"'{place}'" for place in places)
        raise DataError(f"{where}: there is no file {looked}. Check the path.")
    return found


def read_indices(path: str, count: int, where: str) -> NDArray[np.int64]:
    """Returns the indices that a file holds, in order.

    Args:
        path: The file: `.npy`, or text with one index a line.
        count: The number of samples.
        where: The option that names it, for messages.

    Raises:
        DataError: If it holds anything but different whole numbers in [0, count).
    """
    file = find_file(path, where)
    values = _read_values(file, None, where)
    if values.dtype.kind not in "iu":
        told = "Write whole numbers counted from 0, such as numpy.save(path, indices)"
        raise DataError(f"{where}: '{file}' holds values of type {values.dtype}, where indices are needed. {told}.")
    if not len(values) or values.min() < 0 or values.max() >= count:
        told = f"from {values.min()} to {values.max()}" if len(values) else "no index"
        raise DataError(f"{where}: '{file}' holds {told}, where the {count} samples are counted from 0 to {count - 1}.")
    distinct, times = np.unique(values.astype(np.int64), return_counts=True)
    if (times > 1).any():
        raise DataError(f"{where}: '{file}' names the sample {distinct[times > 1][0]} more than once. Name each once.")
    return distinct


def read_groups(rule: Groups, dataset: Dataset, where: str) -> NDArray[Any]:
    """Returns the group of each sample, with shape (N,).

    Args:
        rule: The name of a factor of the data, or a file.
        dataset: The data.
        where: The option that names it, for messages.

    Raises:
        DataError: If there is neither, or not one group for each sample.
    """
    if dataset.factors is not None and rule.groups in dataset.factors.names:
        return dataset.factors.column(rule.groups).numpy()
    file = find_file(rule.groups, where)
    values = _read_values(file, rule.column, where)
    if len(values) != len(dataset):
        raise DataError(
            f"{where}: '{file}' tells the group of {len(values)} samples, where there are {len(dataset)}. Write one for each, in "
            "their order."
        )
    return values


def _read_values(file: Path, column: str | None, where: str) -> NDArray[Any]:
    """Returns the one value of each row of a file."""
    table = file.suffix.lower() in _TABLES
    if table != (column is not None):
        cure = "Name its column by the option column" if table else "Leave the option column out: it is of tables"
        raise DataError(f"{where}: '{file}' is {'a' if table else 'no'} table. {cure}.")
    try:
        if column is not None:
            return _read_column(file, column, where)
        values = np.load(file, allow_pickle=False) if file.suffix == ".npy" else _read_lines(file)
    except (OSError, ValueError, EOFError, UnicodeDecodeError) as error:
        cure = "Write a .npy file of one value for each sample, or text with one a line"
        raise DataError(f"{where}: '{file}' cannot be read: {error}. {cure}.") from error
    if not isinstance(values, np.ndarray) or values.ndim != 1:
        raise DataError(f"{where}: '{file}' holds an array of shape {np.shape(values)}, where one row is needed.")
    return values


def _read_column(file: Path, column: str, where: str) -> NDArray[Any]:
    import pandas as pd

    table = pd.read_parquet(file) if file.suffix.lower() == ".parquet" else pd.read_csv(file, sep=None, engine="python")
    names = [str(name) for name in table.columns]
    if column not in names:
        raise DataError(f"{where}: '{file}': {unknown_name('column', column, names)}")
    values: NDArray[Any] = np.array(table.iloc[:, names.index(column)].astype(str).tolist())
    return values


def _read_lines(file: Path) -> NDArray[Any]:
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    whole = all(line.isascii() and line.isdigit() and len(line) < 19 for line in lines)
    return np.array(lines, dtype=np.int64 if whole else str)
