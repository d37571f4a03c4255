"""The way from the expressions of cells to samples: from a table of genes, or a file of AnnData."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from otae.errors import DataError

from .array_file import Array
from .extras import needed
from .hdf5_file import find_array, find_member
from .memory_limit import require_memory
from .paths import existing_file
from .table_preparation import TablePreparation

_CURE = "Write it with AnnData.write_h5ad"
_HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class CellsPreparation(TablePreparation):
    """Holds the genes of the training data, by which those of a table or of a `.h5ad` file are found.

    Args:
        rules: The rule of each gene, whose values are taken as they are.
        missing: Whether missing values are refused, or imputed from the training data.
        delimiter: What stands between the values of a CSV file, found where `None`.
        decimal: The decimal mark.
        missing_values: What else stands for a missing value in a CSV file.
    """

    def read(self, path: Path) -> Tensor:
        file = existing_file(path)
        with file.open("rb") as stream:
            if stream.read(len(_HDF5)) != _HDF5:
                return super().read(path)
        needed("h5py", "cells")
        expression, genes = _read(file)
        places = {gene: place for place, gene in enumerate(genes)}
        self._require(dict.fromkeys(genes, expression), f"'{file}'")
        values = expression[:, [places[name] for name in self.names]]
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise DataError(
                f"'{file}', cell {row + 1}: the gene {self.names[column]!r} has the value {values[row, column]}. Give numbers."
            )
        return torch.from_numpy(np.ascontiguousarray(values))


def _read(file: Path) -> tuple[Array, tuple[str, ...]]:
    import h5py

    try:
        with h5py.File(file, "r") as content:
            expression, genes = read_expression(content, file)
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise DataError(
            f"'{file}' cannot be read as a .h5ad file: {error}. Write it with AnnData.write_h5ad."
        ) from error
    if expression.ndim != 2 or expression.shape[1] != len(genes) or not len(expression):
        raise DataError(
            f"'{file}' holds expressions of shape {expression.shape} of {len(genes)} genes, which do not fit."
        )
    return expression, genes


def read_expression(content: Any, path: Path, cure: str = _CURE) -> tuple[Array, tuple[str, ...]]:
    """Returns the expressions that an open `.h5ad` file holds, dense or sparse, with shape (N, D), and the names of their genes.

    Args:
        content: The open file.
        path: Its path, for messages.
        cure: What to do where an array is not there.

    Raises:
        DataError: If an array is missing, or lies in another file.
    """
    import h5py

    genes = find_member(content, "var", path)
    if isinstance(genes, h5py.Group):
        names = find_array(content, f"var/{genes.attrs.get('_index', '_index')}", path, cure)[...]
    else:
        table = find_array(content, "var", path, cure)[...]
        names = table["index" if "index" in (table.dtype.names or ()) else "_index"]
    sparse = isinstance(find_member(content, "X", path), h5py.Group)
    return (_read_sparse if sparse else _read_dense)(content, path, cure), to_names(names)


def _read_dense(content: Any, path: Path, cure: str) -> Array:
    values = find_array(content, "X", path, cure)
    require_memory(4 * values.size, f"'{path}', expressions of shape {values.shape},")
    return np.asarray(values[...], dtype=np.float32)


def _read_sparse(content: Any, path: Path, cure: str) -> Array:
    from scipy.sparse import csc_matrix, csr_matrix

    told = content["X"].attrs
    shape = tuple(int(each) for each in told.get("shape", told.get("h5sparse_shape")))
    require_memory(4 * int(np.prod(shape, dtype=np.float64)), f"'{path}', expressions of shape {shape},")
    parts = tuple(find_array(content, f"X/{name}", path, cure)[...] for name in ("data", "indices", "indptr"))
    kind = told.get("encoding-type", told.get("h5sparse_format", "csr"))
    matrix = (csc_matrix if str(kind).startswith("csc") else csr_matrix)(parts, shape=shape)
    return np.asarray(matrix.toarray(), dtype=np.float32)


def to_names(texts: Array) -> tuple[str, ...]:
    """Returns the names that an array of a `.h5ad` file holds.

    Args:
        texts: The array, of bytes or text.
    """
    return tuple(text.decode() if isinstance(text, bytes) else str(text) for text in texts.tolist())
