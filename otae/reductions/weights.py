"""The weights of the pairs that two clouds of one line form."""

from __future__ import annotations

import torch
from torch import Tensor

from ..cloud import Cloud
from ..errors import CloudError


def pair_weights(source: Cloud, target: Cloud) -> Tensor | None:
    """Returns the weights of the pairs that two clouds of one line form, with shape (N,), or `None` where uniform.

    Args:
        source: A cloud, with shape (N, …).
        target: The cloud it is paired with, with shape (N, …).

    Raises:
        CloudError: If both bear weights and their masses differ.
    """
    if source.weights is None or target.weights is None:
        return target.weights if source.weights is None else source.weights
    if not torch.allclose(source.masses.to(target.masses), target.masses):
        raise CloudError(
            "The weights of paired clouds are those of the pairs, but these differ: give them to one only."
        )
    return source.weights
