"""The squared maximum mean discrepancy of a radial kernel."""

from __future__ import annotations

import torch
from torch import Tensor

from otae.reductions import Backend, Squares

from .estimators import ESTIMATORS, Estimator
from .kernels import Radial
from .means import radial_mean


def discrepancy(
    kernel: Radial, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor], estimator: Estimator, backend: Backend
) -> Tensor:
    r"""Returns the squared maximum mean discrepancy of two clouds, a scalar.

    $$\mathbb{E}\, k(x, x') + \mathbb{E}\, k(y, y') - 2\, \mathbb{E}\, k(x, y)$$

    Args:
        kernel: The kernel.
        source: Points with shape (N, D), and their masses with shape (N,), of sum 1.
        target: Points with shape (M, D), and their masses with shape (M,), of sum 1.
        estimator: The estimator of the means within a cloud.
        backend: Which backend sums over the pairs.
    """
    (x, a), (y, b) = source, target
    within = ESTIMATORS[estimator]
    with torch.autocast(x.device.type, enabled=False):
        of_source = radial_mean(kernel, Squares(x), a, a, backend)
        of_target = radial_mean(kernel, Squares(y), b, b, backend)
        between = radial_mean(kernel, Squares(x, y), a, b, backend)
        at_zero = kernel.at_zero(x)
        return within(of_source, a, at_zero) + within(of_target, b, at_zero) - 2 * between
