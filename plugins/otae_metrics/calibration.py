"""How far confidences are from how often they are right."""

from __future__ import annotations

import torch
from torch import Tensor


def calibration_error(confidences: Tensor, correct: Tensor, bins: int = 15) -> float:
    r"""Returns the expected calibration error, over bins of equal width.

    $$\mathrm{ECE} = \sum_b \frac{n_b}{n} \left| \overline{\mathrm{correct}}_b - \overline{\mathrm{confidence}}_b \right|$$

    Args:
        confidences: The probability given to each sample's class, in [0, 1], with shape (N,).
        correct: Whether that class is right, with shape (N,).
        bins: The number of bins.

    References:
        On Calibration of Modern Neural Networks (Guo et al., 2017)
        https://arxiv.org/abs/1706.04599

    Examples:
        >>> calibration_error(torch.tensor([0.9, 0.9, 0.6]), torch.tensor([True, True, False]), bins=2)
        0.1333...
    """
    of = (confidences * bins).ceil().long().clamp(1, bins) - 1  # bins are open on the left
    gaps = torch.zeros(bins, dtype=torch.float64)
    gaps.index_add_(0, of, correct.double() - confidences.double())
    return float(gaps.abs().sum() / len(confidences))
