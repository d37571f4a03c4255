"""How well scores tell outliers from normal samples."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from otae.interfaces import Estimate

from .bootstrap import interval

_ACCEPTED, _REPLICATES = 0.95, 200


def detection(normal: Tensor, outliers: Tensor, seed: int) -> dict[str, Estimate]:
    """Returns AUROC, AUPR and the false positive rate at 95 % of scores that are higher on outliers, with intervals.

    Args:
        normal: The scores of normal samples, with shape (N,).
        outliers: The scores of outliers, with shape (M,).
        seed: The seed of the bootstrap, over either kind of samples.
    """
    generator = Generator().manual_seed(seed)
    drawn = [
        cloud[torch.randint(len(cloud), (_REPLICATES, len(cloud)), generator=generator)] for cloud in (normal, outliers)
    ]
    values, replicates = rates(normal[None], outliers[None]), rates(*drawn)
    return {name: interval(float(value), replicates[name].tolist()) for name, value in values.items()}


def rates(normal: Tensor, outliers: Tensor) -> dict[str, Tensor]:
    r"""Returns AUROC, AUPR and the false positive rate at 95 %, of each of several trials, with shape (B,).

    AUROC is the share of pairs in which the outlier has the higher score, a tie counting half. AUPR has outliers as
    positives, and is the sum over thresholds t of $(R_t - R_{t-1}) P_t$, where equal scores are one threshold. The rate is
    the share of outliers that the least threshold accepts by which 95 % of the normal samples are accepted.

    Args:
        normal: The scores of normal samples, with shape (B, N).
        outliers: The scores of outliers, with shape (B, M).
    """
    count, size = normal.shape[1], outliers.shape[1]
    scores, order = torch.cat([normal, outliers], dim=1).sort(dim=1, descending=True)
    positive = order >= count
    hits = positive.long().cumsum(1)
    first = torch.ones_like(positive)
    first[:, 1:] = scores[:, 1:] != scores[:, :-1]  # of each run of equal scores
    last = first.roll(-1, dims=1)
    places = torch.arange(1, count + size + 1).expand_as(order)
    end = torch.where(last, places, count + size).flip(1).cummin(1).values.flip(1)  # the last place of each one's run
    found = hits.gather(1, end - 1)
    before = torch.where(first, hits - positive.long(), 0).cummax(1).values
    above = torch.where(positive, 0, found + before).sum(1).double() / (2 * count * size)
    precision = torch.where(positive, found / end, 0.0).sum(1).double() / size
    accepted = normal.sort(dim=1).values[:, max(0, math.ceil(_ACCEPTED * count - 1e-9) - 1)]
    return {"auroc": above, "aupr": precision, "fpr95": (outliers <= accepted[:, None]).double().mean(1)}
