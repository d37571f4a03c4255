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
from ..kept_data import find_preparation, read_kept_data
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


def code_columns(run: Run, input: Path | None) -> Form:
    """Returns the form of codes: with the labels of the run's own data beside them.

    Args:
        run: The run.
        input: The file that was encoded, or `None` for the run's own data.
    """
    dataset = run.dataset if input is None else None
    labels = None if dataset is None or dataset.labels is None else dataset.labels.numpy()
    names = None if dataset is None else dataset.class_names
    beside = {} if labels is None else {"label": labels if names is None else np.array(names)[labels]}
    return Form("codes", "code", beside)


def restored(run: Run, output: Path) -> Form:
    """Returns the form of samples: tables in the units of the data, pictures in their range of values.

    Args:
        run: The run.
        output: The file to write.
    """
    tabular = output.suffix in (".csv", ".parquet")
    return Form(value_range=pictures_of(run).value_range, preparation=find_preparation(run) if tabular else None)


def pictures_of(run: Run) -> Form:
    """Returns the form of pictures, in their range of values.

    Args:
        run: The run.
    """
    kept = read_kept_data(run)
    return Form(value_range=(kept and kept.value_range) or (0.0, 1.0))


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
