"""The points and masses of one side of a transport problem, of which some may have no mass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Measure:
    """Holds the points and masses of one side of a transport problem, cut from the graph.

    Args:
        points: The points, with shape (N, D), in single precision at least.
        masses: Their masses, with shape (N,), of sum 1.
        weighted: Whether some masses may be 0.
    """

    points: Tensor
    masses: Tensor
    weighted: bool = False

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def _kept(self) -> Tensor | None:
        return None if not self.weighted or bool((self.masses > 0).all()) else (self.masses > 0).nonzero()[:, 0]

    @cached_property
    def lost(self) -> Tensor | None:
        """Returns the indices of the points without mass; `None` where there are none."""
        return None if self._kept is None else (self.masses <= 0).nonzero()[:, 0]

    @property
    def centre(self) -> Tensor:
        """Returns the mean of the points, with shape (D,)."""
        return self.positive.masses @ self.positive.points

    @cached_property
    def positive(self) -> Measure:
        """Returns the points with mass."""
        return self if self._kept is None else Measure(self.points[self._kept], self.masses[self._kept])

    def move(self, shift: Tensor) -> Measure:
        """Returns the measure with all points moved.

        Args:
            shift: By how much, with shape (D,).
        """
        return Measure(self.points + shift, self.masses, self.weighted)

    def to(self, dtype: torch.dtype) -> Measure:
        """Returns the measure in a floating-point type.

        Args:
            dtype: The type.
        """
        masses = self.masses.to(dtype)
        return Measure(self.points.to(dtype), masses / masses.sum(), self.weighted)

    def gather(self, values: Tensor) -> Tensor:
        """Returns the values of points with mass, with shape (n, …).

        Args:
            values: One or several values per point, with shape (N, …).
        """
        return values if self._kept is None else values[self._kept]

    def scatter(self, values: Tensor, others: Tensor | None = None) -> Tensor:
        """Returns values of the points with mass as values of all points, with shape (N, …).

        Args:
            values: One or several values per point with mass, with shape (n, …).
            others: The values of the other points; 0 where `None`.
        """
        if self._kept is None:
            return values
        spread = values.new_zeros(len(self.points), *values.shape[1:]).index_copy(0, self._kept, values)
        return spread if others is None or self.lost is None else spread.index_copy(0, self.lost, others)
