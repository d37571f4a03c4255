"""What the laws of costs are told of a cost, and what they share."""

from __future__ import annotations

import copy
import functools
import operator
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from ..interfaces import Cost

FLOATS = [torch.float32, torch.float64]


class LawSubject:
    """Holds what a suite says of its cost; each attribute says where a law does not hold.

    Attributes:
        vanishes: Whether the cost of equal clouds is 0.
        degree: The power p of `cost(s x, s y) = s^p cost(x, y)`; `None` where the cost has no such power.
        lengths: The options that carry a unit, with its power: `{"blur": 1}` is a length, `{"epsilon": 4}` its fourth power,
            `{"kernel.bandwidth": 1}` a length among the options of a kernel.
        moves_freely: Whether moving both clouds together costs nothing.
        isometries: Whether moving and turning one cloud alone costs nothing.
        smooth: Whether the gradient is 0 between equal clouds; not so for a distance itself, whose slope jumps there.
        keeps_mass: Whether the marginals of a plan are held.
        single: The share of their size by which the cost of equal clouds may differ from 0 in single precision.
        draws: Whether each call draws anew, so that the order of points may matter to a draw.
    """

    plugin: ClassVar[type[Cost]]
    vanishes: ClassVar[bool] = False
    degree: ClassVar[float | None] = None
    lengths: ClassVar[dict[str, float]] = {}
    moves_freely: ClassVar[bool] = False
    isometries: ClassVar[bool] = False
    smooth: ClassVar[bool] = True
    keeps_mass: ClassVar[bool] = True
    single: ClassVar[float] = 1e-6
    draws: ClassVar[bool] = False

    def skip_without_points(self) -> None:
        """Skips a law of two clouds of points for a cost that looks at less, or at laws."""
        if self.plugin.unary or self.plugin.needs_density:
            pytest.skip("the cost does not compare the points of two clouds")

    def build_in_units(self: Any, factor: float, dtype: torch.dtype = torch.float64) -> Any:
        """Returns a fresh instance whose options are in units of which each is a factor of the old ones.

        Args:
            factor: How many new units an old one is.
            dtype: The type of its parameters.
        """
        options = copy.deepcopy(self.options)
        for path, power in self.lengths.items():
            *parents, name = path.split(".")
            holder = functools.reduce(operator.getitem, parents, options)
            holder[name] *= factor**power
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return self.made(options).to(dtype).to(self.device)

    def turn(self: Any, points: Tensor) -> Tensor:
        """Returns points as they look to the target of the cost: turned into its space and moved, where that costs nothing.

        Args:
            points: Points of the source, with shape (N, D).
        """
        if not self.isometries:
            return points
        generator = torch.Generator().manual_seed(3)
        sizes = self.size("target"), self.size("source")
        frame = torch.linalg.qr(torch.randn(*sizes, generator=generator, dtype=points.dtype)).Q
        turned: Tensor = points @ frame.to(points).T + 3 * points.std()
        return turned
