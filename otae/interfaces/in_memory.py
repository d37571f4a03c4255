"""Data that a program hands over, rather than a file that a configuration names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class InMemory:
    """Holds data in memory, for a dataset whose `__init__` names `memory`.

    Args:
        values: The samples: an array or tensor with shape (N, …), a data frame of pandas, or a `Dataset`.
        labels: One class per sample, with shape (N,): whole numbers or text; the column of a data frame by its name; `None`
            where there are none.
        factors: What generated each sample: a table with shape (N, F), a data frame, or `Factors`; `None` where not known.
    """

    values: Any
    labels: Any = None
    factors: Any = None
