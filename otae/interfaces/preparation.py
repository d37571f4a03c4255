"""The way from raw data to samples and back, with the constants of the training data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from torch import Tensor


class Preparation(ABC):
    """Abstract base of the way from raw data to samples and back, as the training data went it.

    A run keeps it beside its weights, so that new data are scaled, coded and cropped with the constants of training.
    """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Returns its constants, as plain lists, dicts, numbers and text."""

    @classmethod
    @abstractmethod
    def from_dict(cls, constants: Mapping[str, Any]) -> Self:
        """Returns it again.

        Args:
            constants: What `to_dict` returned.
        """

    @abstractmethod
    def read(self, path: Path) -> Tensor:
        """Returns the samples of a file or folder, with shape (N, *data_shape).

        Args:
            path: The file or folder.

        Raises:
            DataError: If it does not hold what the training data held; the message says what to do.
        """

    def list_files(self, path: Path) -> list[str] | None:
        """Returns the name of the file of each sample that `read` returns; `None` where samples have no file of their own.

        Args:
            path: The file or folder.
        """
        return None

    @abstractmethod
    def prepare(self, raw: Any) -> Tensor:
        """Returns the samples of raw values in memory, with shape (N, *data_shape).

        Args:
            raw: The values, in the form of the training data: a data frame for a table, else an array.

        Raises:
            DataError: If they are not of that form; the message says what to do.
        """

    @abstractmethod
    def restore(self, samples: Tensor) -> Any:
        """Returns samples, such as reconstructions, in the form of the raw data.

        Args:
            samples: The samples, with shape (N, *data_shape).
        """
