"""Specimens of the metrics' tests: clouds drawn by seed, put together with what a test does not care for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from otae.interfaces import Samples, Specimen


def draws(count: int, size: int, seed: int = 0) -> Tensor:
    """Returns standard normal points in double precision, with shape (count, size)."""
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def specimen_of(data: Tensor, codes: Tensor | None = None, **parts: Any) -> Specimen:
    """Returns a specimen of these samples, for which the data stand wherever nothing else is given."""
    codes = data.flatten(1) if codes is None else codes
    known = {"reconstructions": data, "generations": data, "prior": codes, "train": Samples(data=data, codes=codes)}
    return Specimen(data=data, codes=codes, **(known | parts))
