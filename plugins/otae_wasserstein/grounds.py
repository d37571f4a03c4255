"""Ground costs beyond powers of the Euclidean distance: of absolute differences, of probabilities, and of sets of points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from otae.errors import CloudError
from otae.interfaces import Ground
from otae.reductions import in_transform, precise

_LEAST = -100.0  # the least logarithm, as in torch


@dataclass(frozen=True)
class L1(Ground):
    r"""Creates the ground cost $\|x - y\|_1$, the negative log-likelihood of a Laplace law up to a constant.

    Examples:
        >>> L1()(torch.zeros(1, 2), torch.tensor([[3.0, -4.0]])).item()
        7.0
    """

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        first, second = (precise(each.reshape(len(each), -1)) for each in (x, y))
        return torch.cdist(first, second, p=1.0)

    def pair(self, x: Tensor, y: Tensor) -> Tensor:
        x, y = (precise(each.reshape(len(each), -1)) for each in (x, y))
        return (x - y).abs().sum(1)

    def formula(self, x: Any, y: Any) -> Any:
        return (x - y).abs().sum(-1)


@dataclass(frozen=True)
class Bernoulli(Ground):
    r"""Creates the ground cost $-\sum_k x_k \log y_k + (1 - x_k) \log(1 - y_k)$: the cross-entropy of data and probabilities.

    Both are in [0, 1]; each logarithm is at least -100. It is not symmetric, and not 0 between equal points.

    Examples:
        >>> Bernoulli()(torch.ones(1, 2), torch.ones(1, 2)).item()
        0.0
    """

    symmetric: ClassVar[bool] = False

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        _check_unit(x, y)
        x, y = (precise(each.reshape(len(each), -1)) for each in (x, y))
        yes, no = (each.log().clamp_min(_LEAST) for each in (y, 1 - y))
        return 0 - (x @ yes.T + (1 - x) @ no.T)

    def pair(self, x: Tensor, y: Tensor) -> Tensor:
        _check_unit(x, y)
        x, y = (precise(each.reshape(len(each), -1)) for each in (x, y))
        return F.binary_cross_entropy(y, x.to(y.dtype), reduction="none").sum(1)


def _check_unit(x: Tensor, y: Tensor) -> None:
    if in_transform():  # values cannot be looked at
        return
    other = "or choose another ground cost, such as 'sqeuclidean'."
    for values, side, cure in (
        (x, "source", "Scale the data to [0, 1]"),
        (y, "target", "Let the decoder end in a sigmoid"),
    ):
        low, high = (value.item() for value in values.detach().aminmax())
        if not (low >= 0 and high <= 1):
            span = f"[{low:.4g}, {high:.4g}]"
            raise CloudError(
                f"The ground cost 'bernoulli' needs values in [0, 1], but the {side} spans {span}. {cure}, {other}"
            )


@dataclass(frozen=True)
class Chamfer(Ground):
    r"""Creates the ground cost of samples that are sets of P points, whose order means nothing: the Chamfer distance.

    $$c(x, y) = \frac1P \sum_{i=1}^P \min_j \|x_i - y_j\|_2^2 + \frac1P \sum_{j=1}^P \min_i \|x_i - y_j\|_2^2$$

    The nearest points are found by inner products, in O(N P²) memory; the distances to them are differences, to which
    nothing cancels, and which alone are kept for the gradient.

    Args:
        dims: The dimensions of a point, where samples come as vectors, as costs that solve for a plan see them; read off
            samples with shape (P, D) where `None`.

    References:
        A Point Set Generation Network for 3D Object Reconstruction from a Single Image (Fan, Su, Guibas, 2016)
        https://arxiv.org/abs/1612.00603

    Examples:
        >>> Chamfer()(torch.zeros(1, 2, 3), torch.ones(1, 2, 3)).item()
        6.0
    """

    dims: Annotated[int, Field(gt=0)] | None = None

    @property
    def degree(self) -> float:
        """Returns 2, as of squared distances."""
        return 2.0

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        rows = [self.pair(sample[None].expand(len(y), *sample.shape), y) for sample in x]
        return torch.stack(rows)

    def pair(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the Chamfer distance of each pair of sets, with shape (N,).

        Args:
            x: N sets of P points, with shape (N, P, D).
            y: The sets they are paired with, with shape (N, P, D).

        Raises:
            CloudError: If the samples are no sets of points, or of different shapes.
        """
        x, y = (self._sets(precise(each)) for each in (x, y))
        if x.ndim != 3 or x.shape != y.shape:
            given = f"the source has shape {tuple(x.shape)} and the target {tuple(y.shape)}"
            cure = "Reshape them, set dims where sets come as vectors, or choose another ground cost, such as 'sqeuclidean'"
            raise CloudError(
                f"The ground cost 'chamfer' compares sets, with shape (N, points, dims), but {given}. {cure}."
            )
        with torch.no_grad():
            centre = x.mean(1, keepdim=True)
            a, b = x - centre, y - centre
            squares = a.square().sum(2)[:, :, None] + b.square().sum(2)[:, None] - 2 * a @ b.transpose(1, 2)
            of_x, of_y = squares.argmin(2), squares.argmin(1)
        return _average_gaps(x, y, of_x) + _average_gaps(y, x, of_y)

    def _sets(self, samples: Tensor) -> Tensor:
        if self.dims is None or samples.ndim != 2 or samples.shape[1] % self.dims:
            return samples
        return samples.reshape(len(samples), -1, self.dims)


def _average_gaps(points: Tensor, others: Tensor, nearest: Tensor) -> Tensor:
    partners = others.gather(1, nearest[:, :, None].expand_as(points))
    return (points - partners).square().sum(2).mean(1)
