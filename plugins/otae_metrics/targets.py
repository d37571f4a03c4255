"""What a regression shall predict of a factor."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from otae.interfaces import Factor


def targets(values: Tensor, kind: Factor, classes: Tensor | None = None) -> Tensor:
    """Returns the targets of a factor, in double precision and with shape (N, T).

    An ordered factor is its own target, a circular one has two, the cosine and the sine of its angle, and a categorical one
    an indicator for each class.

    Args:
        values: The factor's values, with shape (N,).
        kind: What it is.
        classes: Its classes, in [0, T), needed of a categorical factor, with shape (N,).
    """
    if kind.kind == "circular":
        assert kind.period is not None  # a circular factor has one
        angles = values.double() * (2 * math.pi / kind.period)
        return torch.stack([angles.cos(), angles.sin()], dim=1)
    if kind.kind == "categorical" and classes is not None:
        return torch.nn.functional.one_hot(classes).double()
    return values.double()[:, None]
