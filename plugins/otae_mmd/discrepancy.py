"""The squared maximum mean discrepancy of a kernel."""

from __future__ import annotations

import torch
from torch import Tensor

from otae.interfaces import Kernel
from otae.reductions import Backend, Radial, Squares, Values, kernel_mean

from .estimators import ESTIMATORS, Estimator
from .kernels.profiles import mix
from .means import radial_mean

Points = tuple[Tensor, Tensor]


def discrepancy(kernel: Kernel, source: Points, target: Points, estimator: Estimator, backend: Backend) -> Tensor:
    r"""Returns the squared maximum mean discrepancy of two clouds, a scalar.

    $$\mathbb{E}\, k(x, x') + \mathbb{E}\, k(y, y') - 2\, \mathbb{E}\, k(x, y)$$

    All radial terms of a sum are summed over in one pass, each other one in its own.

    Args:
        kernel: The kernel, its lengths fixed.
        source: Points with shape (N, D), and their masses with shape (N,), of sum 1.
        target: Points with shape (M, D), and their masses with shape (M,), of sum 1.
        estimator: The estimator of the means within a cloud.
        backend: Which backend sums over the pairs.
    """
    terms = kernel.terms()
    radial = [(weight, term) for weight, term in terms if isinstance(term, Radial)]
    others = [(weight, term) for weight, term in terms if not isinstance(term, Radial)]
    parts = [weight * _compare(term, source, target, estimator, backend) for weight, term in others]
    if radial:
        mixed = mix([term for _, term in radial], [weight for weight, _ in radial])
        parts.append(_compare_radially(mixed, source, target, estimator, backend))
    return parts[0] if len(parts) == 1 else torch.stack(parts).sum()


def _compare_radially(kernel: Radial, source: Points, target: Points, estimator: Estimator, backend: Backend) -> Tensor:
    (x, a), (y, b) = source, target
    within = ESTIMATORS[estimator]
    of_source = radial_mean(kernel, Squares(x), a, a, backend)
    of_target = radial_mean(kernel, Squares(y), b, b, backend)
    between = radial_mean(kernel, Squares(x, y), a, b, backend)
    at_zero = kernel.at_zero(x)
    return within(of_source, a, at_zero) + within(of_target, b, at_zero) - 2 * between


def _compare(kernel: Kernel, source: Points, target: Points, estimator: Estimator, backend: Backend) -> Tensor:
    def mean(first: Points, second: Points) -> Tensor:
        pairs = Values(kernel, first[0], second[0], kernel.formula)
        return kernel_mean(lambda values: values, pairs, first[1], second[1], backend)

    within = ESTIMATORS[estimator]
    own = [within(mean(side, side), side[1], kernel.diagonal(side[0])) for side in (source, target)]
    return own[0] + own[1] - 2 * mean(source, target)
