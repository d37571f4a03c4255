"""Specimens whose factors and codes are known, for metrics of disentanglement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from otae.interfaces import Factor, Factors, Metric, Samples, Specimen
from otae_metrics import DCI

VALUES = tuple(float(value) for value in range(5))
KINDS = (Factor("shape", "categorical", VALUES), Factor("size", values=VALUES), Factor("height", values=VALUES))


def table(count: int, seed: int = 0) -> Tensor:
    """Returns three independent factors of five values each, with shape (count, 3)."""
    return torch.randint(5, (count, 3), generator=torch.Generator().manual_seed(seed)).double()


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def specimen(encode: Callable[[Tensor], Tensor], count: int = 600, kinds: tuple[Factor, ...] = KINDS) -> Specimen:
    """Returns samples whose codes are a function of their factors; training samples are others."""
    parts = [
        Samples(
            data=noise(count, 2, seed=seed), codes=encode(values), draws=encode(values), factors=Factors(values, kinds)
        )
        for seed, values in ((1, table(count, 1)), (2, table(count, 2)))
    ]
    one = parts[0]
    return Specimen(
        data=one.data,
        codes=one.codes,
        draws=one.draws,
        factors=one.factors,
        reconstructions=one.data,
        generations=one.data,
        prior=one.codes,
        train=parts[1],
    )


def own(values: Tensor) -> Tensor:
    """Returns codes of which each tells one factor, and one that tells nothing."""
    return torch.cat([values - 2 + 0.01 * noise(*values.shape), 0.5 * noise(len(values), 1, seed=3)], dim=1)


def turned(values: Tensor) -> Tensor:
    """Returns codes that are a reflection of the factors: two of three weigh alike in each."""
    mixing = torch.full((3, 3), 2 / 3).double() - torch.eye(3).double()
    return (values - 2) @ mixing + 0.1 * noise(*values.shape, seed=4)


def judge(metric: type[Metric], encode: Callable[[Tensor], Tensor], **options: Any) -> Any:
    plain: dict[str, Any] = {"trees": 10} if metric is DCI else {}
    return metric(**(plain | options))(specimen(encode))


def small(codes: Tensor, values: Tensor, kinds: tuple[Factor, ...], draws: Tensor | None = None) -> Specimen:
    """Returns a specimen of some codes and factors, whose training samples are the same."""
    factors, data = Factors(values, kinds), torch.cat([codes, values], dim=1)
    known = Samples(data=data, codes=codes, draws=draws, factors=factors)
    return Specimen(
        data=data,
        codes=codes,
        draws=draws,
        factors=factors,
        reconstructions=data,
        generations=data,
        prior=codes,
        train=known,
    )
