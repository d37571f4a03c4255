"""The number of torch's threads during a training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .processes import Processes


def count_threads(asked: int | None, processes: Processes) -> int | None:
    """Returns the number of threads of each process: as asked for, or what there are, shared by those of this machine.

    Args:
        asked: The number that was asked for, or `None`.
        processes: The processes.
    """
    local = processes.placement.local_world
    return asked if asked is not None or local == 1 else max(1, torch.get_num_threads() // local)


@contextmanager
def limit_threads(count: int | None) -> Iterator[None]:
    """Sets the number of torch's threads for as long as the context lasts; `None` leaves it as it is.

    Args:
        count: The number.
    """
    former = torch.get_num_threads()
    torch.set_num_threads(count or former)
    try:
        yield
    finally:
        torch.set_num_threads(former)
