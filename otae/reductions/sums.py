"""Sums over all pairs behind one call, whichever backend computes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import BackendError
from . import dense
from .backend import Backend, choose, give_up
from .dense import Kernel
from .pairs import Pairs


def kernel_product(kernel: Kernel, pairs: Pairs | Sequence[Pairs], values: Tensor, backend: Backend = "auto") -> Tensor:
    r"""Returns the product of an implicit kernel matrix with values on the second points, with shape (N, E).

    $$u_i = \sum_{j=1}^M k(s_{ij}) \, v_j$$

    Memory is O((N+M)(D+E)), whatever the backend; gradients of both orders run to the points and to the values.

    Args:
        kernel: The function k of the number of each pair, entry by entry: `+ - * /`, `safe_exp`, `safe_sqrt` and
            `safe_power`, which work on blocks of a tensor as on a LazyTensor; of one argument for each of the pairs. It
            may hold tensors of one number, such as a trainable bandwidth.
        pairs: The pairs, with shape (N, M), or several of one shape.
        values: The values, with shape (M, E).
        backend: `dense` for torch in blocks, `keops` for KeOps, or `auto` for the faster one.

    Raises:
        BackendError: If KeOps is asked for and cannot run here.

    Examples:
        >>> from otae.reductions import Squares
        >>> x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0]])
        >>> kernel_product(lambda squared: 1 / (1 + squared), Squares(x, y), torch.ones(1, 1)).flatten().tolist()
        [1.0, 0.5]
    """
    listed = _list(pairs)
    with torch.autocast(values.device.type, enabled=False):
        converted = values.to(listed[0].x.dtype)
        return _sum(backend, listed, lambda sums: sums.kernel_product(kernel, listed, converted))


def kernel_mean(
    kernel: Kernel, pairs: Pairs | Sequence[Pairs], a: Tensor, b: Tensor, backend: Backend = "auto"
) -> Tensor:
    r"""Returns the mean of a kernel over all pairs under the points' masses, a scalar.

    $$\sum_{i=1}^N \sum_{j=1}^M a_i b_j \, k(s_{ij})$$

    Args:
        kernel: The function k of the number of each pair, as of `kernel_product`.
        pairs: The pairs, with shape (N, M), or several of one shape.
        a: The masses of the first points, with shape (N,).
        b: The masses of the second points, with shape (M,).
        backend: `dense`, `keops` or `auto`.

    Raises:
        BackendError: If KeOps is asked for and cannot run here.
    """
    means = kernel_product(kernel, pairs, b[:, None], backend)[:, 0]
    return torch.dot(a.to(means.dtype), means)


def log_sum_exp(kernel: Kernel, pairs: Pairs | Sequence[Pairs], backend: Backend = "auto") -> Tensor:
    r"""Returns the logarithm of each row's sum of exponentials, with shape (N,): the soft maximum.

    $$u_i = \log \sum_{j=1}^M \exp k(s_{ij})$$

    Weights and potentials of the second points enter as one more dimension: the inner products of (x, 1) and (y, h) are
    $\langle x_i, y_j\rangle + h_j$.

    Args:
        kernel: The function k of the number of each pair, as of `kernel_product`.
        pairs: The pairs, with shape (N, M), or several of one shape.
        backend: `dense`, `keops` or `auto`.

    Raises:
        BackendError: If KeOps is asked for and cannot run here.
    """
    listed = _list(pairs)
    with torch.autocast(listed[0].x.device.type, enabled=False):
        return _sum(backend, listed, lambda sums: sums.log_sum_exp(kernel, listed))


def _sum(backend: Backend, pairs: Sequence[Pairs], sum_by: Callable[[Any], Tensor]) -> Tensor:
    if choose(backend, pairs) == "dense":
        return sum_by(dense)
    from .keops import lazy  # slow to import, and seldom needed

    try:
        return sum_by(lazy)
    except BackendError as error:
        if backend == "keops":
            raise
        give_up(pairs[0].x.device.type, str(error))
    return sum_by(dense)


def _list(pairs: Pairs | Sequence[Pairs]) -> Sequence[Pairs]:
    return [pairs] if isinstance(pairs, Pairs) else pairs
