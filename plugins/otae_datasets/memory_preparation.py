"""The way from raw data to samples, of data that were handed over in memory: a table's, an array's or pictures'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from otae.interfaces import Preparation

from .array_preparation import ArrayPreparation
from .picture_preparation import PicturePreparation
from .table_preparation import TablePreparation

_KINDS: Mapping[str, type[TablePreparation | ArrayPreparation | PicturePreparation]] = {
    "table": TablePreparation,
    "array": ArrayPreparation,
    "pictures": PicturePreparation,
}


@dataclass(frozen=True)
class MemoryPreparation(Preparation):
    """Holds a preparation of one of several kinds, and tells which.

    Args:
        inner: The preparation.
    """

    inner: TablePreparation | ArrayPreparation | PicturePreparation

    def to_dict(self) -> dict[str, Any]:
        kind = next(name for name, each in _KINDS.items() if isinstance(self.inner, each))
        return {"kind": kind, **self.inner.to_dict()}

    @classmethod
    def from_dict(cls, constants: Mapping[str, Any]) -> MemoryPreparation:
        return cls(_KINDS[constants["kind"]].from_dict(constants))

    def read(self, path: Path) -> Tensor:
        return self.inner.read(path)

    def prepare(self, raw: Any) -> Tensor:
        return self.inner.prepare(raw)

    def restore(self, samples: Tensor) -> Any:
        return self.inner.restore(samples)


def wrap(preparation: Preparation | None) -> MemoryPreparation | None:
    """Returns a preparation in a form that can be kept without naming its dataset; `None` where there is none.

    Args:
        preparation: The preparation of a dataset.
    """
    known = isinstance(preparation, tuple(_KINDS.values()))
    return MemoryPreparation(preparation) if known else None  # type: ignore[arg-type]  # one of the kinds
