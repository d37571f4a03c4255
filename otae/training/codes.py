"""The moments at which a prior meets the codes of the training data."""

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
    model.prior.fit(_draw_codes(model, batches))


def start_prior(model: Autoencoder, batches: Iterable[Tensor], again: bool) -> None:
    """Starts a model's prior from one code of each sample, drawn from its law, while training goes on.

    Args:
        model: The autoencoder, changed in place.
        batches: The training data, each batch with shape (B, *data_shape).
        again: Whether it was started before.
    """
    model.prior.start(_draw_codes(model, batches), again)


def _draw_codes(model: Autoencoder, batches: Iterable[Tensor]) -> Tensor:
    place = next(model.parameters()).device
    return torch.cat([model.encode(batch.to(place), sample=True) for batch in batches])
