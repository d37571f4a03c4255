"""Transport on the line, in closed form: quantiles are coupled to quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from otae.reductions import couple_rows, order_rows, safe_power, sort_rows


@dataclass(frozen=True, eq=False)
class Line:
    """Holds weighted points on several lines: each row is a cloud of its own.

    Args:
        points: The points, with shape (L, N).
        masses: The masses, of sum 1, with shape (N,) where they are those of all lines, or (L, N); uniform where `None`.
    """

    points: Tensor
    masses: Tensor | None = None


def line_costs(source: Line, target: Line, p: float) -> Tensor:
    r"""Returns the p-th powers of the Wasserstein distances, line by line, with shape (L,).

    $$\mathrm{W}_p^p(x, y) = \int_0^1 \left| F_x^{-1}(t) - F_y^{-1}(t) \right|^p \mathrm{d}t$$

    Exact for any sizes and masses; differentiable in points and masses. Time is O(L (N+M) log(N+M)).

    Args:
        source: Points on L lines, N each.
        target: Points on the same lines, M each.
        p: The exponent of the distance, at least 1.

    Examples:
        >>> x, y = torch.tensor([[0.0, 1.0, 2.0]]), torch.tensor([[4.0, 3.0]])
        >>> round(line_costs(Line(x), Line(y), 2.0).item(), 4)
        6.5
    """
    if source.masses is None and target.masses is None:
        x, y = (sort_rows(line.points) for line in (source, target))
        return _uniform_costs(x, y, p)
    return _weighted_costs(source, target, p)


def _uniform_costs(x: Tensor, y: Tensor, p: float) -> Tensor:
    n, m = x.shape[1], y.shape[1]
    if n == m:
        return _powers(x - y, p).mean(1)
    both = torch.cat([torch.arange(1, n + 1) * m, torch.arange(1, m + 1) * n])  # in units of the mass 1 / nm
    cuts = torch.unique_consecutive(both.sort().values).to(x.device)
    lengths = cuts.diff(prepend=cuts.new_zeros(1)).to(x.dtype) / (n * m)
    gaps = x[:, (cuts - 1) // m] - y[:, (cuts - 1) // n]
    return torch.mv(_powers(gaps, p), lengths)


def _weighted_costs(source: Line, target: Line, p: float) -> Tensor:
    (x, of_x), (y, of_y) = _accumulate(source), _accumulate(target)
    masses, i, j = couple_rows(of_x, of_y)  # (L, N + M) each
    return (masses.to(x.dtype) * _powers(x.gather(1, i) - y.gather(1, j), p)).sum(1)


def _accumulate(line: Line) -> tuple[Tensor, Tensor]:
    """Returns the sorted points, and the mass up to each, in double precision; both with shape (L, N)."""
    count = line.points.shape[1]
    masses = line.points.new_full((count,), 1 / count) if line.masses is None else line.masses
    order = order_rows(line.points)
    return line.points.gather(1, order), masses.double().expand_as(line.points).gather(1, order).cumsum(1)


def _powers(gaps: Tensor, p: float) -> Tensor:
    return gaps.square() if p == 2 else safe_power(gaps.abs(), p)
