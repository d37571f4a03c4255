"""How well scores tell outliers from normal samples."""

from __future__ import annotations

import torch
from torch import Tensor

from otae.interfaces import Estimate

from .bootstrap import bootstraps
from .roc import area


def detection(normal: Tensor, outliers: Tensor, seed: int) -> dict[str, Estimate]:
    """Returns AUROC, AUPR and the false positive rate at 95 % of scores that are higher on outliers, with intervals.

    Args:
        normal: The scores of normal samples, with shape (N,).
        outliers: The scores of outliers, with shape (M,).
        seed: The seed of the bootstrap, over either kind of samples.
    """
    return bootstraps(_figures, normal, outliers, seed=seed, paired=False)


def average_precision(normal: Tensor, outliers: Tensor) -> float:
    r"""Returns the area under the precision-recall curve of outliers, as steps.

    $$\sum_t (R_t - R_{t-1})\, P_t$$

    over the thresholds t, from the highest score down; equal scores are one threshold.

    Args:
        normal: The scores of normal samples, with shape (N,).
        outliers: The scores of outliers, with shape (M,).
    """
    scores, order = torch.cat([normal, outliers]).sort(descending=True)
    found = (order >= len(normal)).double().cumsum(0)
    last = torch.cat([scores[1:] != scores[:-1], torch.ones(1, dtype=torch.bool)])  # of each run of equal scores
    hits, flagged = found[last], torch.arange(1, len(scores) + 1)[last]
    gains = torch.diff(hits, prepend=hits.new_zeros(1)) / len(outliers)
    return float((gains * hits / flagged).sum())


def false_positives(normal: Tensor, outliers: Tensor, rate: float = 0.95) -> float:
    """Returns the share of outliers that are taken for normal at the least threshold that accepts a share of the normal.

    Args:
        normal: The scores of normal samples, with shape (N,).
        outliers: The scores of outliers, with shape (M,).
        rate: The share of normal samples that must be accepted.
    """
    ordered = normal.sort().values
    accepted = ordered[max(0, -int(-rate * len(ordered) // 1) - 1)]  # the smallest score that `rate` of them reach
    return float((outliers <= accepted).double().mean())


def _figures(normal: Tensor, outliers: Tensor) -> dict[str, float]:
    return {
        "auroc": area(normal, outliers),
        "aupr": average_precision(normal, outliers),
        "fpr95": false_positives(normal, outliers),
    }
