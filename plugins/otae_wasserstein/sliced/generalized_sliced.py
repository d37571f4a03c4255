"""The generalised sliced Wasserstein cost: transport of what random nonlinear functions make of the clouds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import ConfigError
from otae.interfaces import Batch, Cost

from ..points import pair_of_points
from .defining import circles, polynomials
from .line import line_costs
from .projections import line_batch, line_of

Positive = Annotated[float, Field(gt=0)]


class GeneralizedSliced(Cost):
    r"""Creates the generalised sliced Wasserstein cost: the mean over random functions g of the cost of their values.

    $$\mathrm{GSW}_p^p(x, y) = \mathbb{E}_\theta\, \mathrm{W}_p^p(g(x, \theta), g(y, \theta))$$

    - `circular`: $g(x, \theta) = \|x - r \theta\|$, the distance from a random point of a sphere about the origin;
    - `polynomial`: $g(x, \theta) = \sum_{|\alpha| = m} \theta_\alpha x^\alpha$ of odd degree m, θ uniform on the sphere;
      degree 1 is the sliced cost. In units of the points to the power $m p$.

    Both kinds of level sets tell any two laws apart. Unlike lines, they are not the same everywhere: the cost depends on
    where the clouds lie relative to the origin.

    Args:
        defining: The functions.
        projections: The number of functions, drawn anew at each call and shared by all samples.
        p: The exponent of the distance; the cost is its p-th power.
        degree: The degree m of `polynomial`, odd.
        radius: The radius r of `circular`, in units of the points; some times their spread is a good choice.

    Raises:
        ConfigError: If the degree is even.

    References:
        Generalized Sliced Wasserstein Distances (Kolouri, Nadjahi, Simsekli, Badeau, Rohde, 2019)
        https://arxiv.org/abs/1902.00434

    Examples:
        >>> import torch
        >>> x = torch.randn(20, 3)
        >>> GeneralizedSliced()(x, x.flip(0)).item() < 1e-9  # but for rounding
        True
    """

    def __init__(
        self,
        defining: Literal["circular", "polynomial"] = "circular",
        projections: Annotated[int, Field(gt=0)] = 64,
        p: Annotated[float, Field(ge=1)] = 2.0,
        degree: Annotated[int, Field(gt=0, le=16)] = 3,
        radius: Positive = 1.0,
    ) -> None:
        super().__init__()
        if degree % 2 == 0:
            raise ConfigError(f"Polynomials of even degree {degree} take x for -x: choose an odd one, such as 3.")
        self.defining, self.projections, self.p = defining, projections, p
        self.degree, self.radius = degree, radius

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the mean cost over random functions, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).

        Raises:
            CloudError: If a polynomial in as many dimensions has too many terms.
        """
        x, y = pair_of_points(source, target)
        of_x, of_y = _SLICES[self.defining](self, x, y)
        return line_costs(line_of(of_x, source), line_of(of_y, target), self.p).mean()

    def compare_batch(self, source: Batch, target: Batch) -> Tensor:
        """Returns the mean costs of a batch of pairs of clouds, with shape (B,), over the same functions.

        Args:
            source: The source clouds, with shape (B, N, D).
            target: The target clouds, with shape (B, M, D).
        """
        values = _SLICES[self.defining](self, source.points.flatten(0, 1), target.points.flatten(0, 1))
        lines = [
            line_batch(each.reshape(len(each), *side.points.shape[:2]).transpose(0, 1), side)
            for each, side in zip(values, (source, target), strict=True)
        ]
        return line_costs(lines[0], lines[1], self.p).reshape(len(source), -1).mean(1)

    def extra_repr(self) -> str:
        return f"defining={self.defining!r}, projections={self.projections}, p={self.p}"


_SLICES: dict[str, Callable[[GeneralizedSliced, Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "circular": lambda cost, x, y: circles(x, y, cost.projections, cost.radius),
    "polynomial": lambda cost, x, y: polynomials(x, y, cost.projections, cost.degree),
}
