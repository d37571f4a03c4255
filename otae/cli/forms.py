"""The forms in which codes and samples leave: with labels beside them, or as tables in the units of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from torch import Tensor

from ..errors import ConfigError
from ..interfaces import Preparation
from ..kept_data import find_preparation, find_splits, read_kept_data
from ..run import Run


@dataclass(frozen=True)
class Form:
    """Holds what is known of an array to be written.

    Args:
        name: What it is called in a `.npz` file.
        columns: What its columns are called in a table; numbered where `None`.
        beside: What stands beside it, by name, such as labels, with shape (N,).
        value_range: The smallest and largest value of a sample, which a picture shows as black and white.
        preparation: The way back to the raw data, or `None`.
    """

    name: str = "samples"
    columns: str | None = None
    beside: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    value_range: tuple[float, float] = (0.0, 1.0)
    preparation: Preparation | None = None

    def to_frame(self, values: Tensor) -> Any:
        """Returns the array as a data frame, with what stands beside it.

        Args:
            values: The array, with shape (N, …).
        """
        import pandas as pd

        restored = None if self.preparation is None else self.preparation.restore(values)
        if isinstance(restored, pd.DataFrame):
            return restored
        flat = values.flatten(1).numpy()
        names = [f"{self.columns or 'value'}_{place}" for place in range(flat.shape[1])]
        return pd.DataFrame(flat, columns=names).assign(**self.beside)


def describe_codes(run: Run, input: Path | None) -> Form:
    """Returns the form of codes, with what is known of each sample beside them.

    Args:
        run: The run.
        input: The file or folder that was encoded, or `None` for the run's own data.
    """
    return Form("codes", "code", describe_samples(run, input))


def describe_samples(run: Run, input: Path | None) -> dict[str, np.ndarray[Any, Any]]:
    """Returns what is known of each sample, by name, with shape (N,): its label, its split and the path of its file.

    Args:
        run: The run.
        input: The file or folder that the samples come from, or `None` for the run's own data.
    """
    if input is not None:
        preparation = find_preparation(run)
        files = None if preparation is None else preparation.list_files(input)
        return {} if files is None else {"path": np.array(files)}
    dataset = run.dataset
    beside: dict[str, np.ndarray[Any, Any]] = {}
    if dataset.labels is not None:
        labels = dataset.labels.numpy()
        beside["label"] = labels if dataset.class_names is None else np.array(dataset.class_names)[labels]
    beside["split"] = np.empty(len(dataset), dtype="<U10")
    for name, indices in find_splits(run, dataset).by_name.items():
        beside["split"][indices] = name
    if dataset.files is not None:
        beside["path"] = np.array(list(dataset.files))
    return beside


def describe_restored(run: Run, output: Path, input: Path | None = None, drawn: bool = False) -> Form:
    """Returns the form of samples: tables in the units of the data, pictures in their range of values.

    Args:
        run: The run.
        output: The file to write.
        input: The file or folder that was reconstructed, or `None` for the run's own data.
        drawn: Whether the samples are draws, which have no labels.
    """
    tabular = output.suffix in (".csv", ".parquet")
    beside = describe_samples(run, input) if output.suffix == ".npz" and not drawn else {}
    preparation = find_preparation(run) if tabular else None
    return Form(beside=beside, value_range=describe_pictures(run).value_range, preparation=preparation)


def describe_pictures(run: Run) -> Form:
    """Returns the form of pictures, in the range of values of the data: that declared, or else that seen in training.

    Args:
        run: The run.
    """
    kept = read_kept_data(run)
    return Form(value_range=(kept and (kept.value_range or kept.seen_range)) or (0.0, 1.0))


def write_table(file: IO[bytes], suffix: str, frame: Any) -> None:
    """Writes a data frame.

    Args:
        file: The file, open for bytes.
        suffix: `.csv` or `.parquet`.
        frame: The data frame.

    Raises:
        ConfigError: If pyarrow is needed and not installed.
    """
    if suffix == ".csv":
        frame.to_csv(file, index=False)
        return
    try:
        frame.to_parquet(file, index=False)
    except ImportError as error:
        raise ConfigError("Writing Parquet needs the package pyarrow: pip install 'otae[table]'.") from error
