"""What the processes of a training exchange in each step: shares of batches, means of values and gradients, votes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch import distributed as dist

from ..collectives import average_gradients, share_weights
from ..draws import read_state
from ..errors import ProcessError
from ..share import Share
from .placement import Placement


class Exchange:
    """Creates the exchange of a process with the others; it costs nothing where there are none.

    Args:
        placement: The place of the process.

    Attributes:
        device: Where the tensors lie that are exchanged.
    """

    def __init__(self, placement: Placement) -> None:
        self.count, self.rank = placement.world, placement.rank
        self.device = torch.device("cpu")
        self._stochastic: dict[tuple[int, bool], bool] = {}

    def share(self, total: int) -> Share | None:
        """Returns the share of this process of a batch; `None` where there is but one process.

        Args:
            total: The number of samples in the batch.
        """
        if self.count == 1:
            return None
        return Share(split_evenly(total, self.count), self.rank, self._stochastic)

    def average(self, parameters: Sequence[nn.Parameter]) -> None:
        """Averages the gradients of parameters over the processes.

        Args:
            parameters: The parameters, in one order on all processes.
        """
        if self.count > 1:
            average_gradients(parameters)

    def mean(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns the means of values over the processes.

        Args:
            values: Scalars by name, the same names on all processes.

        Raises:
            ProcessError: If the processes no longer draw the same random numbers.
        """
        if self.count == 1:
            return values
        state = float(read_state())
        sums = torch.stack([*(each.detach().double() for each in values.values()), *map(_scalar, (state, state**2))])
        sums = sums.to(self.device)
        dist.all_reduce(sums)
        first, second = sums[-2:].tolist()
        if self.count * second != first**2:
            raise ProcessError(
                "The processes of the training no longer draw the same random numbers: a part draws numbers whose count "
                "depends on its samples. Draw noise with the samples in the first dimension, or train on one process."
            )
        return dict(zip(values, sums / self.count, strict=False))

    def agree(self, flag: bool) -> bool:
        """Returns whether any of the processes says so.

        Args:
            flag: Whether this one does.
        """
        if self.count == 1:
            return flag
        votes = torch.tensor(float(flag), device=self.device)
        dist.all_reduce(votes)
        return bool(votes)

    def share_weights(self, tensors: Iterable[Tensor]) -> None:
        """Copies tensors of the first process to all others.

        Args:
            tensors: The tensors, of the same shapes in one order.
        """
        if self.count > 1:
            share_weights(tensors)


def split_evenly(total: int, count: int) -> tuple[int, ...]:
    """Returns the sizes of as equal shares as can be, the larger ones first.

    Args:
        total: What is shared out.
        count: The number of shares.
    """
    return tuple(total // count + (each < total % count) for each in range(count))


def _scalar(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)
