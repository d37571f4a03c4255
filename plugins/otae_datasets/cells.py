"""Seven hundred blood cells, which come with the package scanpy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from otae.errors import DataError
from otae.interfaces import Feature

from .array_file import Array
from .batched import Batched
from .cells_preparation import CellsPreparation, read_expression, to_names
from .column_rules import ColumnRule
from .encodings import Scaled
from .extras import needed
from .hdf5_file import find_array
from .indices import checked
from .packaged import find_packaged


class Cells(Batched):
    """Creates 700 blood cells of one donor, the expression of 765 genes in each; labels are ten types of cells.

    Values are as scanpy ships them: logarithms of normalised counts, each gene scaled to about mean 0 and
    standard deviation 1. They come with the package scanpy (2 MB without what it needs, BSD-3),
    whose file is read without importing it. Needs `pip install 'otae[cells]'`.

    Args:
        path: A copy of scanpy's file `10x_pbmc68k_reduced.h5ad`; that of the installed package where `None`.

    Attributes:
        features: The genes.

    Raises:
        ConfigError: If the packages h5py or scanpy are not installed.
        DataError: If the file is missing, damaged, or does not hold what it should; the message names it.

    References:
        Massively Parallel Digital Transcriptional Profiling of Single Cells (Zheng et al., 2017)
        https://doi.org/10.1038/ncomms14049

    Examples:
        >>> Cells().data_shape  # doctest: +SKIP
        (765,)
    """

    preparations = CellsPreparation

    def __init__(self, path: str | Path | None = None) -> None:
        super().__init__()
        needed("h5py", "cells")
        file = find_packaged("scanpy", "datasets/10x_pbmc68k_reduced.h5ad", "cells", path)
        expression, genes, types, self.class_names = _read(file)
        self.features = tuple(Feature(gene) for gene in genes)
        self._samples, self.labels = torch.from_numpy(expression), torch.from_numpy(types)
        self.data_shape = (expression.shape[1],)
        fills = expression.mean(axis=0).tolist()
        rules = [
            ColumnRule(gene, Scaled((gene,), 0.0, 1.0), fill, False) for gene, fill in zip(genes, fills, strict=True)
        ]
        self.preparation = CellsPreparation(tuple(rules), "refuse", None, ".", ())

    def __len__(self) -> int:
        return len(self._samples)

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        return self._samples[torch.from_numpy(checked(indices, len(self)))]


def _read(file: Path) -> tuple[Array, tuple[str, ...], Array, tuple[str, ...]]:
    """Returns the expressions, the genes, and the cells' types and their names."""
    import h5py

    try:
        with h5py.File(file, "r") as content:
            expression, genes = read_expression(content, file, _CURE)
            types = np.asarray(find_array(content, "obs", file, _CURE)["bulk_labels"], dtype=np.int64)
            names = to_names(find_array(content, "uns/bulk_labels_categories", file, _CURE)[...])
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"'{file}' cannot be read: {error}. {_CURE}.") from error
    fitting = expression.shape == (len(types), len(genes)) and len(types) > 0 and np.isfinite(expression).all()
    if not fitting or types.min() < 0 or types.max() >= len(names):
        told = (
            f"expressions of shape {expression.shape}, {len(genes)} genes and {len(types)} cells of {len(names)} types"
        )
        raise DataError(f"'{file}' holds {told}, which do not fit. {_CURE}.")
    return expression, genes, types, names


_CURE = "If it is damaged, install the package scanpy anew"
