"""The datasets of points on known manifolds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from otae.errors import ConfigError
from otae.interfaces import Factor, Factors

from .batched import Batched
from .indices import checked
from .memory_limit import require_memory

Points: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Chart:
    """Creates points on a manifold, and their coordinates on it.

    Args:
        points: The points, with shape (N, d).
        coordinates: The coordinates, with shape (N, F).
        kinds: What the coordinates are.
    """

    points: Points
    coordinates: Points
    kinds: tuple[Factor, ...]


class Manifolds(Batched):
    r"""Creates points drawn uniformly, by area, from a manifold, turned into a space of any dimension, with noise.

    `swiss-roll` is the sheet $(t \cos t, h, t \sin t) / 5$, $t \in [3\pi/2, 9\pi/2]$, $h \in [0, 21]$; `torus` that of radii
    1 and 0.4; `rings` are three circles of radii 1/3, 2/3 and 1, which are also the labels. Factors are the coordinates on
    the manifold: `arc`, the length along the roll in the units of its points, and `height`; `around` and `across`, angles;
    `ring` and `angle`.

    Args:
        kind: The manifold.
        count: The number of points.
        dim: The number of entries of a point; the manifold's own (3, or 2 for rings) where `None`. Higher dimensions are
            reached by an isometry drawn by seed, so that all distances stay.
        noise: The standard deviation of Gaussian noise, added to every entry.
        seed: The seed of the points, the isometry and the noise.

    Raises:
        ConfigError: If the manifold does not fit into so few dimensions.

    References:
        A Global Geometric Framework for Nonlinear Dimensionality Reduction (Tenenbaum et al., 2000)
        https://doi.org/10.1126/science.290.5500.2319

    Examples:
        >>> torus = Manifolds(kind="torus", dim=10)
        >>> torus.data_shape, torus.factors.names
        ((10,), ('around', 'across'))
    """

    def __init__(
        self,
        *,
        kind: Literal["swiss-roll", "torus", "rings"] = "swiss-roll",
        count: Annotated[int, Field(gt=0, le=1_000_000_000)] = 10_000,
        dim: Annotated[int, Field(gt=0, le=1_000_000)] | None = None,
        noise: Annotated[float, Field(ge=0, le=1e30)] = 0.0,
        seed: Annotated[int, Field(ge=0, lt=2**63)] = 0,
    ) -> None:
        super().__init__()
        require_memory(
            24 * count * max(dim or 0, 8), f"count: {count:,} points of dim {dim}", "Give fewer, or a smaller dim"
        )
        random = np.random.default_rng(seed)
        chart = _CHARTS[kind](random, count)
        points = _embedded(chart.points, dim, kind, random)
        points += noise * random.standard_normal(points.shape)
        self._points = torch.from_numpy(points.astype(np.float32))
        self.data_shape = (points.shape[1],)
        self.factors = Factors(torch.from_numpy(chart.coordinates.astype(np.float32)), chart.kinds)
        if kind == "rings":
            self.labels, self.class_names = self.factors.column("ring").long(), ("inner", "middle", "outer")

    def __len__(self) -> int:
        return len(self._points)

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        return self._points[torch.from_numpy(checked(indices, len(self)))]


def _swiss_roll(random: np.random.Generator, count: int) -> Chart:
    start, end = _arc(np.array([1.5, 4.5]) * np.pi)
    arc, height = random.uniform(start, end, count), random.uniform(0, 21, count)
    turns = np.linspace(1.5 * np.pi, 4.5 * np.pi, 100_001)
    angle = np.interp(arc, _arc(turns), turns)  # to 1e-9: the arc is smooth
    points = np.stack([angle * np.cos(angle), height, angle * np.sin(angle)], axis=1) / 5
    return Chart(points, np.stack([arc - start, height], axis=1) / 5, (Factor("arc"), Factor("height")))


def _arc(angle: Points) -> Points:
    """Returns the length of the spiral (t cos t, t sin t) from 0 to each angle."""
    root = np.sqrt(1 + angle**2)
    return (angle * root + np.log(angle + root)) / 2


def _torus(random: np.random.Generator, count: int) -> Chart:
    around, across = random.uniform(0, 2 * np.pi, count), _across(random, count)
    ring = 1 + 0.4 * np.cos(across)
    points = np.stack([ring * np.cos(around), ring * np.sin(around), 0.4 * np.sin(across)], axis=1)
    return Chart(points, np.stack([around, across], axis=1), (_angle("around"), _angle("across")))


def _across(random: np.random.Generator, count: int) -> Points:
    """Returns angles whose density is that of the torus's area, 1 + 0.4 cos, by inverting their distribution function."""
    angles = np.linspace(0, 2 * np.pi, 100_001)
    return np.interp(random.uniform(0, 2 * np.pi, count), angles + 0.4 * np.sin(angles), angles)


def _rings(random: np.random.Generator, count: int) -> Chart:
    ring = random.choice(3, count, p=np.array([1, 2, 3]) / 6)  # by length
    angle = random.uniform(0, 2 * np.pi, count)
    points = ((ring + 1) / 3)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Chart(points, np.stack([ring, angle], axis=1), (Factor("ring", values=(0, 1, 2)), _angle("angle")))


def _angle(name: str) -> Factor:
    return Factor(name, "circular", period=2 * np.pi)


def _embedded(points: Points, dim: int | None, kind: str, random: np.random.Generator) -> Points:
    own = points.shape[1]
    if dim is None or dim == own:
        return points
    if dim < own:
        raise ConfigError(f"dim={dim} is too small for the manifold {kind!r}, which needs {own}. Give at least {own}.")
    isometry = np.linalg.qr(random.standard_normal((dim, own)))[0]  # orthonormal columns
    embedded: Points = points @ isometry.T
    return embedded


_CHARTS: Mapping[str, Callable[[np.random.Generator, int], Chart]] = {
    "swiss-roll": _swiss_roll,
    "torus": _torus,
    "rings": _rings,
}
