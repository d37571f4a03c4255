"""The share that a process has of a batch: its rows, and the ways from these to the whole batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor

from .cloud import Cloud
from .collectives import gather_rows
from .draws import WholeDraws, find_state, read_state
from .laws import map_laws

T = TypeVar("T")


@dataclass(frozen=True)
class Share:
    """Creates the share that a process has of a batch.

    Args:
        sizes: The number of samples of each process, none of them 0.
        rank: The number of this process.
        stochastic: What draws random numbers, as it was found; kept from batch to batch.
    """

    sizes: tuple[int, ...]
    rank: int
    stochastic: dict[tuple[object, ...], bool] = field(default_factory=dict, repr=False)

    @property
    def count(self) -> int:
        """Returns the number of samples of the whole batch."""
        return sum(self.sizes)

    @property
    def rows(self) -> slice:
        """Returns which of the whole batch's rows are this process's."""
        start = sum(self.sizes[: self.rank])
        return slice(start, start + self.sizes[self.rank])

    @property
    def factor(self) -> float:
        """Returns the factor by which a mean over the own rows is multiplied, so that the mean over processes is that over
        the whole batch."""
        return len(self.sizes) * self.sizes[self.rank] / self.count

    def gather(self, cloud: Cloud, *, law: bool = False) -> Cloud:
        """Returns the cloud of the whole batch, through which gradients flow back to each process's own rows.

        Args:
            cloud: The cloud of the own rows.
            law: Whether its law is needed as well.

        Raises:
            CloudError: If its law is needed, and cannot be gathered.
        """
        points, weights = self._gather(cloud.points), None if cloud.weights is None else self._gather(cloud.weights)
        gathered = map_laws([cloud.law], self._join) if law and cloud.law is not None else None
        return Cloud(points, weights, gathered, tuple(self.gather(part, law=law) for part in cloud.parts))

    def draw(self, draw: Callable[[], T]) -> T:
        """Returns what a function draws for the own rows: the rows of what it would draw for the whole batch.

        Args:
            draw: The function.
        """
        with WholeDraws(self.sizes, self.rank):
            return draw()

    def compute(self, key: tuple[object, ...], compute: Callable[[], T]) -> T:
        """Returns what a function computes of the own rows; the noise that it draws, if any, is that of the whole batch's rows.

        Args:
            key: What is computed: whether it draws is found out once.
            compute: The function.
        """
        if key not in self.stochastic:
            before = read_state()
            result = self.draw(compute)  # once, since it may change buffers, such as those of spectral norms
            self.stochastic[key] = read_state() != before
            return result
        return self.draw(compute) if self.stochastic[key] else compute()

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Has random numbers be drawn by this process alone, for as long as the context lasts."""
        restore, seed = find_state(), read_state()
        torch.manual_seed(seed * len(self.sizes) + self.rank)
        try:
            yield
        finally:
            restore()

    def _join(self, rows: list[Tensor]) -> Tensor:
        return self._gather(rows[0])

    def _gather(self, rows: Tensor) -> Tensor:
        return gather_rows(rows, self.sizes, self.rank)


def split_evenly(total: int, count: int) -> tuple[int, ...]:
    """Returns the sizes of as equal shares as can be, the larger ones first.

    Args:
        total: What is shared out.
        count: The number of shares.
    """
    return tuple(total // count + (each < total % count) for each in range(count))
