"""The share that a process has of a batch: its rows, and the ways from these to the whole batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, TransformedDistribution

from .cloud import Cloud
from .collectives import gather_rows
from .draws import WholeDraws, find_state, read_state
from .errors import CloudError

T = TypeVar("T")


@dataclass(frozen=True)
class Share:
    """Creates the share that a process has of a batch.

    Args:
        sizes: The number of samples of each process, none of them 0.
        rank: The number of this process.
        stochastic: Which modules draw random numbers, as it was found; kept from batch to batch.
    """

    sizes: tuple[int, ...]
    rank: int
    stochastic: dict[tuple[int, bool], bool] = field(default_factory=dict, repr=False)

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
        gathered = self._gather_law(cloud.law) if law and cloud.law is not None else None
        return Cloud(points, weights, gathered, tuple(self.gather(part, law=law) for part in cloud.parts))

    def draw(self, draw: Callable[[], T]) -> T:
        """Returns what a function draws for the own rows: the rows of what it would draw for the whole batch.

        Args:
            draw: The function.
        """
        with WholeDraws(self.sizes, self.rank):
            return draw()

    def apply(self, module: nn.Module, x: Tensor) -> Any:
        """Returns what a module makes of the own rows; the noise that it draws, if any, is that of the whole batch's rows.

        Args:
            module: The module.
            x: Its input, with shape (B, …).
        """
        known = id(module), module.training
        if known not in self.stochastic:
            restore, before = find_state(), read_state()
            result = module(x)
            self.stochastic[known] = read_state() != before
            if not self.stochastic[known]:
                return result
            restore()
        return self.draw(lambda: module(x)) if self.stochastic[known] else module(x)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Has random numbers be drawn by this process alone, for as long as the context lasts."""
        restore, seed = find_state(), read_state()
        torch.manual_seed(seed * len(self.sizes) + self.rank)
        try:
            yield
        finally:
            restore()

    def _gather(self, rows: Tensor) -> Tensor:
        return gather_rows(rows, self.sizes, self.rank)

    def _gather_law(self, law: Distribution) -> Distribution:
        """Returns the laws of all rows; one law for all of them is the same on all processes."""
        if not law.batch_shape:
            return law
        if isinstance(law, Independent):
            return Independent(self._gather_law(law.base_dist), law.reinterpreted_batch_ndims, validate_args=False)
        if isinstance(law, TransformedDistribution):
            return TransformedDistribution(self._gather_law(law.base_dist), law.transforms, validate_args=False)
        tensors = {name: value for name, value in vars(law).items() if isinstance(value, Tensor)}
        if not tensors or any(len(value) != law.batch_shape[0] for value in tensors.values() if value.ndim):
            raise CloudError(
                f"The law {type(law).__name__} has other tensors than one row a sample, so that the laws of several processes "
                "cannot be put together: train on one process, or set gather to false."
            )
        whole = copy.copy(law)
        vars(whole).update({name: self._gather(value) for name, value in tensors.items() if value.ndim})
        whole._batch_shape = torch.Size((self.count, *law.batch_shape[1:]))
        return whole
