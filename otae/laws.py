"""Laws of a batch's samples, changed row by row: gathered from several processes, or joined from chunks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, TransformedDistribution

from .errors import CloudError


def map_laws(laws: Sequence[Distribution], join: Callable[[list[Tensor]], Tensor]) -> Distribution:
    """Returns one distribution of many laws, its tensors made from those of others of its kind.

    Args:
        laws: Distributions of one kind, each with batch shape (N, …) or none; parameters of a network are the same in all.
        join: What makes a tensor with one row a law from those of the distributions.

    Raises:
        CloudError: If a distribution has other tensors than one row a law.
    """
    first = laws[0]
    if not first.batch_shape:
        return first
    if isinstance(first, Independent):
        bases = [law.base_dist for law in laws if isinstance(law, Independent)]
        return Independent(map_laws(bases, join), first.reinterpreted_batch_ndims, validate_args=False)
    if isinstance(first, TransformedDistribution):
        bases = [law.base_dist for law in laws if isinstance(law, TransformedDistribution)]
        return TransformedDistribution(map_laws(bases, join), first.transforms, validate_args=False)
    rows = [name for name, value in vars(first).items() if isinstance(value, Tensor) and not _is_shared(value)]
    if not rows or any(len(vars(law)[name]) != law.batch_shape[0] for law in laws for name in rows):
        raise CloudError(
            f"The law {type(first).__name__} has other tensors than one row a sample, so that laws cannot be put together: "
            "train on one process without training.accumulate."
        )
    whole = copy.copy(first)
    vars(whole).update({name: join([vars(law)[name] for law in laws]) for name in rows})
    whole._batch_shape = torch.Size((len(vars(whole)[rows[0]]), *first.batch_shape[1:]))
    return whole


def _is_shared(value: Tensor) -> bool:
    return value.ndim == 0 or isinstance(value, nn.Parameter)
