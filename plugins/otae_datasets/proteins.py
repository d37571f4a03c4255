"""Proteins in single cells with their accepted causal graph, which come with the package cdt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from otae.errors import DataError
from otae.interfaces import Feature

from .array_file import Array
from .batched import Batched
from .column_rules import ColumnRule
from .encodings import Scaling, scaled
from .indices import checked
from .packaged import find_packaged
from .table_preparation import TablePreparation


class Proteins(Batched):
    """Creates 7,466 immune cells, the amounts of 11 proteins in each, with the causal graph that biologists agree on.

    Amounts are spread over three powers of ten, so that their logarithms are the samples. They come with the package cdt
    (0.9 MB without what it needs, Apache-2), whose files are read without importing it. Needs
    `pip install 'otae[proteins]'`.

    Args:
        log: Whether to take natural logarithms.
        scaling: `standard` for mean 0 and standard deviation 1 of each protein, `min-max` for [0, 1], `none` to keep them.
        path: A copy of cdt's file `cyto_full_data.csv`, with `cyto_full_target.csv` beside it; those of the installed
            package where `None`.

    Attributes:
        features: The proteins.
        graph: The causal graph, booleans with shape (11, 11): whether the protein of the row acts on that of the column.

    Raises:
        ConfigError: If the package is not installed and there is no path.
        DataError: If a file is missing, damaged, or does not hold what it should; the message names it.

    References:
        Causal Protein-Signaling Networks Derived from Multiparameter Single-Cell Data (Sachs et al., 2005)
        https://doi.org/10.1126/science.1105809

    Examples:
        >>> Proteins().graph.sum()  # doctest: +SKIP
        tensor(18)
    """

    preparations = TablePreparation

    def __init__(self, *, log: bool = True, scaling: Scaling = "standard", path: str | Path | None = None) -> None:
        super().__init__()
        amounts = find_packaged("cdt", "data/resources/cyto_full_data.csv", "proteins", path)
        table = _read(amounts)
        names = tuple(str(name) for name in table.columns)
        values = _amounts(table, amounts)
        rules = [
            ColumnRule(name, scaled(name, column, scaling, log), float(column.mean()), False)
            for name, column in zip(names, values.T, strict=True)
        ]
        self.preparation = TablePreparation(tuple(rules), "refuse", None, ".", ())
        self._samples = self.preparation.prepare(table)
        self.graph = torch.from_numpy(_graph(amounts.with_name("cyto_full_target.csv"), names))
        self.features = tuple(Feature(name) for name in names)
        self.data_shape = (len(names),)
        self.value_range = (0.0, 1.0) if scaling == "min-max" else None

    def __len__(self) -> int:
        return len(self._samples)

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        return self._samples[torch.from_numpy(checked(indices, len(self)))]


def _read(file: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(file)
    except (ValueError, OSError) as error:
        raise DataError(f"'{file}' cannot be read: {error}. {_CURE}.") from error


def _amounts(table: pd.DataFrame, file: Path) -> Array:
    if not len(table) or not all(kind.kind in "iuf" for kind in table.dtypes):
        raise DataError(f"'{file}' does not hold rows of numbers below the proteins' names. {_CURE}.")
    values: Array = table.to_numpy(dtype=np.float64)
    if not (np.isfinite(values) & (values > 0)).all():
        raise DataError(f"'{file}' holds an amount that is no positive number. {_CURE}.")
    return values


def _graph(file: Path, features: Sequence[str]) -> Array:
    if not file.is_file():
        raise DataError(f"There is no file '{file}', the causal graph of the proteins. {_CURE}.")
    edges = _read(file)
    if list(edges.columns) != ["Cause", "Effect"] or not set(edges.to_numpy().ravel()) <= set(features):
        raise DataError(f"'{file}' does not hold edges, Cause and Effect, between {', '.join(features)}. {_CURE}.")
    graph = np.zeros((len(features), len(features)), dtype=bool)
    graph[[features.index(cause) for cause in edges["Cause"]], [features.index(each) for each in edges["Effect"]]] = (
        True
    )
    return graph


_CURE = "If it is damaged, install the package cdt anew"
