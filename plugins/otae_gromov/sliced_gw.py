"""The sliced Gromov-Wasserstein cost: the mean over random lines, on each of which the coupling is a matter of sorting."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from otae.cloud import Cloud
from otae.interfaces import Cost
from otae.reductions import in_transform

from .geometry import measure


class SlicedGW(Cost):
    r"""Creates the sliced Gromov-Wasserstein cost.

    $$\mathbb{E}_\theta \min_{P} \sum_{ijkl} \left( \langle\theta, x_i - x_k\rangle^2
    - \langle\theta, y_j - y_l\rangle^2 \right)^2 P_{ij} P_{kl}$$

    with directions θ that are shared by both clouds, the one of fewer dimensions filled up by zeros. On a line, one of two
    couplings is taken, whichever is better: both clouds in order, or one of them reversed. That is optimal but for rare
    exceptions. The cost takes O(N log N) time a direction. It is blind to reflections, but not to rotations of one cloud
    alone.

    Args:
        projections: The number of directions.

    References:
        Sliced Gromov-Wasserstein (Vayer et al., 2019)
        https://arxiv.org/abs/1905.10124

        On Assignment Problems Related to Gromov-Wasserstein Distances on the Real Line (Beinert, Heiss, Steidl, 2023)
        https://arxiv.org/abs/2205.09006

    Examples:
        >>> x = torch.tensor([[0.0], [1.0], [3.0]])
        >>> SlicedGW()(x, 5 - x).item() < 1e-5
        True
    """

    vectorized = True
    same_space = False

    def __init__(self, projections: Annotated[int, Field(gt=0)] = 64) -> None:
        super().__init__()
        self.projections = projections

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the mean cost over the directions, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If points are not finite.
        """
        (x, a), (y, b) = measure(source), measure(target)
        dtype = torch.promote_types(x.dtype, y.dtype)
        x, y, a, b = x.to(dtype), y.to(dtype), a.to(dtype), b.to(dtype)
        size = max(x.shape[1], y.shape[1])
        directions = F.normalize(torch.randn(size, self.projections, dtype=x.dtype, device=x.device), dim=0)
        u = _line(x, a, directions)
        v = _line(y, b, directions)
        return torch.minimum(_on_lines(u, a, v, b), _on_lines(u, a, -v, b)).mean()

    def extra_repr(self) -> str:
        return f"projections={self.projections}"


def _line(points: Tensor, masses: Tensor, directions: Tensor) -> Tensor:
    """Returns the positions of the points along the directions about their means, with shape (N, P)."""
    positions = (points - points.detach().mean(0)) @ directions[: points.shape[1]]
    return positions - masses @ positions


def _on_lines(u: Tensor, a: Tensor, v: Tensor, b: Tensor) -> Tensor:
    r"""Returns the cost of the coupling in order on each line, with shape (P,).

    $$2\, \mathbb{E}(u^2 - v^2)^2 + 2 (\mathbb{E} u^2 - \mathbb{E} v^2)^2
    + 4 (\mathbb{E} u^2)^2 + 4 (\mathbb{E} v^2)^2 - 8 (\mathbb{E} u v)^2$$
    """
    u, v, masses = _coupled(u, a, v, b)  # (K, P) each

    def mean(values: Tensor) -> Tensor:
        return (masses * values).sum(0)

    of_u, of_v = mean(u.square()), mean(v.square())
    shifted = of_u - of_v
    bent = mean((u.square() - v.square()).square()) + shifted.square()
    # (E u²)² + (E v²)² - 2 (E uv)², written so that it does not cancel where u = ±v
    turned = shifted.square() / 2 + mean((u - v).square()) * mean((u + v).square()) / 2
    return 2 * bent + 4 * turned


def _coupled(u: Tensor, a: Tensor, v: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the pairs of the coupling in order on each line: their positions on either side, and masses, (K, P) each."""
    (u, at_u), (v, at_v) = u.sort(dim=0), v.sort(dim=0)
    even = a.stride(0) == 0 and b.stride(0) == 0  # as of clouds without weights
    if len(u) == len(v) and (even or (not in_transform() and bool((a == a[0]).all() & (b == b[0]).all()))):
        return u, v, a[:, None].expand_as(u)
    of_u, of_v = a[at_u].cumsum(0), b[at_v].cumsum(0)
    levels = torch.cat([of_u, of_v]).sort(dim=0).values  # (N + M, P)
    masses = torch.diff(levels, dim=0, prepend=torch.zeros_like(levels[:1]))
    middles = (levels - masses / 2).detach().T.contiguous()
    return _at(u, of_u, middles), _at(v, of_v, middles), masses


def _at(positions: Tensor, levels: Tensor, middles: Tensor) -> Tensor:
    """Returns the quantiles at the middles of the coupling's pairs, with shape (K, P)."""
    found = torch.searchsorted(levels.detach().T.contiguous(), middles).T
    return positions.gather(0, found.clamp_max(len(positions) - 1))
