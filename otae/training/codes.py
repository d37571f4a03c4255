"""The last step of training: a prior that is fitted to codes meets those of the training data."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ..autoencoder import Autoencoder


def fit_prior(model: Autoencoder, batches: Iterable[Tensor]) -> None:
    """Fits a model's prior to one code of each sample, drawn from its law.

    Args:
        model: The trained autoencoder, changed in place.
        batches: The training data, each batch with shape (B, *data_shape).
    """
    place = next(model.parameters()).device
    model.prior.fit(torch.cat([model.encode(batch.to(place), sample=True) for batch in batches]))
