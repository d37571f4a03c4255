"""Costs that are means over samples, computed on some of these at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .chunks import draw_alike
from .cloud import Cloud
from .interfaces import Cost
from .share import Share, split_evenly


def split_cost(
    cost: Cost, source: Cloud, target: Cloud, share: Share | None, count: int, *, adversary: bool = False
) -> Iterator[Callable[[], Tensor]]:
    """Yields the computation of each chunk's part of a cost, or of what its adversary minimises.

    Args:
        cost: The cost, a mean over samples.
        source: The source cloud, with shape (N, …) and no weights.
        target: The target cloud, likewise.
        share: What they are of a batch that lies on several processes.
        count: The number of chunks.
        adversary: Whether the loss of the adversary is computed.
    """
    rows = (len(source),) if share is None else share.sizes
    per_process = [split_evenly(size, min(count, *rows)) for size in rows]
    rank = 0 if share is None else share.rank
    own, first = per_process[rank], sum(map(len, per_process[:rank]))
    indices = torch.split(torch.arange(len(source), device=source.points.device), list(own))
    factor = 1.0 if share is None else share.factor

    def compute(number: int) -> Tensor:
        pair = [each.select(indices[number]) for each in (source, target)]
        value = cost.adversary_loss(*pair) if adversary else cost(*pair)
        return factor * own[number] / len(source) * value

    return draw_alike(compute, [size for sizes in per_process for size in sizes], first, len(own))
