"""The sliced Wasserstein cost: transport on random lines."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor

from otae.cloud import Cloud
from otae.interfaces import Batch, Cost

from ..points import centre, centre_batch
from .directions import random_directions
from .line import line_costs
from .projections import line_batch, project


class Sliced(Cost):
    r"""Creates the sliced Wasserstein cost: the mean over random directions of the cost on the line.

    $$\mathrm{SW}_p^p(x, y) = \mathbb{E}_\theta\, \mathrm{W}_p^p(\langle\theta, x\rangle, \langle\theta, y\rangle),
    \quad \theta \sim U(\mathbb{S}^{D-1})$$

    New directions are drawn at each call, and all samples are projected on the same ones. On the line, transport is
    exact for any sizes and weights. The cost lies between 0 and the Wasserstein cost; for p = 2, a translation by t costs
    $\|t\|^2 / D$ on average. Time is O(L (N+M) (D + log(N+M))), memory O(L (N+M)).

    Args:
        projections: The number L of directions. The error falls with its square root.
        p: The exponent of the distance; the cost is its p-th power.
        orthogonal: Whether to draw each D directions orthogonal to each other, which lowers the error where there are
            few dimensions.

    References:
        Sliced and Radon Wasserstein Barycenters of Measures (Bonneel, Rabin, Peyré, Pfister, 2015)
        https://doi.org/10.1007/s10851-014-0506-3

        Sliced-Wasserstein Auto-Encoders (Kolouri, Pope, Martin, Rohde, 2019)
        https://arxiv.org/abs/1804.01947

    Examples:
        >>> import torch
        >>> x = torch.randn(100, 3)
        >>> Sliced(orthogonal=True, projections=3)(x, x + 6.0).item() > 35  # three orthogonal directions see all of it
        True
    """

    vectorized = True

    def __init__(
        self,
        projections: Annotated[int, Field(gt=0)] = 64,
        p: Annotated[float, Field(ge=1)] = 2.0,
        orthogonal: bool = False,
    ) -> None:
        super().__init__()
        self.projections, self.p, self.orthogonal = projections, p, orthogonal

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the mean cost over random directions, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).
        """
        x, y = centre(source, target)
        directions = random_directions(x.shape[1], self.projections, x, self.orthogonal)
        return line_costs(project(x, directions, source), project(y, directions, target), self.p).mean()

    def compare_batch(self, source: Batch, target: Batch) -> Tensor:
        """Returns the mean costs of a batch of pairs of clouds, with shape (B,), over the same directions.

        Args:
            source: The source clouds, with shape (B, N, D).
            target: The target clouds, with shape (B, M, D).
        """
        directions = random_directions(source.points.shape[2], self.projections, source.points, self.orthogonal)
        lines = [line_batch(directions.T @ side.points.mT, side) for side in centre_batch(source, target)]
        return line_costs(lines[0], lines[1], self.p).reshape(len(source), -1).mean(1)

    def extra_repr(self) -> str:
        return f"projections={self.projections}, p={self.p}, orthogonal={self.orthogonal}"
