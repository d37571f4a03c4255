"""The way from raw data to samples of datasets that hold one of several kinds: a table, an array, pictures, columns of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from torch import Tensor

from otae.interfaces import Preparation

from .array_preparation import ArrayPreparation
from .columns_preparation import ColumnsPreparation
from .picture_preparation import PicturePreparation
from .table_preparation import TablePreparation

Inner: TypeAlias = TablePreparation | ArrayPreparation | PicturePreparation | ColumnsPreparation

_KINDS: Mapping[str, type[Inner]] = {
    "table": TablePreparation,
    "array": ArrayPreparation,
    "pictures": PicturePreparation,
    "columns": ColumnsPreparation,
}


@dataclass(frozen=True)
class TaggedPreparation(Preparation):
    """Holds a preparation of one of several kinds, and tells which.

    Args:
        inner: The preparation.
    """

    inner: Inner

    def to_dict(self) -> dict[str, Any]:
        kind = next(name for name, each in _KINDS.items() if isinstance(self.inner, each))
        return {"kind": kind, **self.inner.to_dict()}

    @classmethod
    def from_dict(cls, constants: Mapping[str, Any]) -> TaggedPreparation:
        return cls(_KINDS[constants["kind"]].from_dict(constants))

    def read(self, path: Path) -> Tensor:
        return self.inner.read(path)

    def list_files(self, path: Path) -> list[str] | None:
        return self.inner.list_files(path)

    def prepare(self, raw: Any) -> Tensor:
        return self.inner.prepare(raw)

    def restore(self, samples: Tensor) -> Any:
        return self.inner.restore(samples)


def wrap(preparation: Preparation | None) -> TaggedPreparation | None:
    """Returns a preparation in a form that can be kept without naming its dataset; `None` where there is none.

    Args:
        preparation: The preparation of a dataset.
    """
    known = isinstance(preparation, tuple(_KINDS.values()))
    return TaggedPreparation(preparation) if known else None  # type: ignore[arg-type]  # one of the kinds
