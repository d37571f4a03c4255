"""The weights of the pairs that two paired clouds form."""

from __future__ import annotations

import torch
from torch import Tensor

from ..cloud import Cloud
from ..errors import CloudError
from ..interfaces import Batch

_DIFFER = "The weights of paired clouds are those of the pairs, but these differ: give them to one only."


def pair_weights(source: Cloud, target: Cloud) -> Tensor | None:
    """Returns the weights of the pairs that two paired clouds form, with shape (N,), or `None` where uniform.

    Args:
        source: A cloud, with shape (N, …).
        target: The cloud it is paired with, with shape (N, …).

    Raises:
        CloudError: If both have weights and their masses differ.
    """
    if source.weights is None or target.weights is None:
        return target.weights if source.weights is None else source.weights
    if not torch.allclose(source.masses.to(target.masses), target.masses):
        raise CloudError(_DIFFER)
    return source.weights


def batch_pair_masses(source: Batch, target: Batch) -> Tensor:
    """Returns the masses of the pairs that each two clouds of a batch form, with shape (B, N).

    Args:
        source: The source clouds, with shape (B, N, D).
        target: The clouds they are paired with, with shape (B, N, D').

    Raises:
        CloudError: If both have weights and their masses differ.
    """
    if source.weights is None or target.weights is None:
        return (source if target.weights is None else target).masses
    if not torch.allclose(source.masses, target.masses):
        raise CloudError(_DIFFER)
    return source.masses
