"""Logistic regression, as probes use it."""

from __future__ import annotations

import warnings

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from otae.errors import NotApplicableError


def logistic(codes: Tensor, classes: Tensor, penalty: float = 1.0, balanced: bool = False) -> LogisticRegression:
    """Returns a logistic regression fitted to codes and classes, after at most 100 iterations.

    Args:
        codes: The codes, standardised, with shape (N, D).
        classes: Their classes, with shape (N,).
        penalty: The weight of the squared coefficients, half of whose sum is added to the sum of all losses.
        balanced: Whether all classes weigh alike, however rare.

    Raises:
        NotApplicableError: If there is only one class.
    """
    if len(torch.unique(classes)) < 2:
        raise NotApplicableError(
            f"A classifier needs two classes, and {len(classes)} samples have one. Judge more of them."
        )
    model = LogisticRegression(C=1 / penalty, class_weight="balanced" if balanced else None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # separable classes have no optimum to converge to
        return model.fit(codes.numpy(), classes.numpy())
