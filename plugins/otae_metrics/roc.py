"""The area under the ROC curve, as the share of pairs in the right order."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def area(negative: Tensor, positive: Tensor) -> float:
    """Returns the share of pairs in which the positive has the higher score, a tie counting half; NaN without pairs.

    Args:
        negative: The scores of negatives, with shape (N,).
        positive: The scores of positives, with shape (M,).
    """
    if not len(negative) or not len(positive):
        return math.nan
    ordered = negative.sort().values
    below, up_to = (torch.searchsorted(ordered, positive, right=right) for right in (False, True))
    return float((below + up_to).double().mean() / (2 * len(negative)))
