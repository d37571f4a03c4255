"""Solids in the path of rays: unions of parts, each the intersection of slabs and round bodies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Rays:
    """Holds rays, start + t · direction.

    Args:
        starts: Where they start, with shape (3, n), or (3, 1) for all.
        directions: Where they lead, with shape (3, n), or (3, 1) for all.
    """

    starts: Numbers
    directions: Numbers

    def reach(self, t: Numbers) -> Numbers:
        """Returns the points at t, with shape (3, n).

        Args:
            t: How far along each ray, with shape (n,).
        """
        points: Numbers = self.starts + t * self.directions
        return points

    def chosen(self, mask: NDArray[np.bool_]) -> Rays:
        """Returns some of the rays.

        Args:
            mask: Which, with shape (n,).
        """
        starts, directions = (each if each.shape[1] == 1 else each[:, mask] for each in (self.starts, self.directions))
        return Rays(starts, directions)


def dot(first: Numbers, second: Numbers) -> Numbers:
    """Returns inner products, with shape (n,).

    Args:
        first: Vectors, with shape (3, n), or (3, 1) for all.
        second: Vectors, with shape (3, n), or (3, 1) for all.
    """
    products: Numbers = first[0] * second[0] + first[1] * second[1] + first[2] * second[2]
    return products


class Body(ABC):
    """Abstract base of convex bodies, which a ray enters and leaves once."""

    @abstractmethod
    def cross(self, rays: Rays) -> tuple[Numbers, Numbers]:
        """Returns where rays enter and leave, with shape (n,) each; a ray that misses leaves before it enters.

        Args:
            rays: The rays.
        """

    @abstractmethod
    def normals(self, points: Numbers, rays: Rays) -> Numbers:
        """Returns the outward unit normals where rays enter, with shape (3, n).

        Args:
            points: Where they enter, with shape (3, n).
            rays: The rays.
        """


@dataclass(frozen=True)
class Slab(Body):
    """Creates all points between two planes across one axis.

    Args:
        axis: The axis, 0 to 2.
        low: The first plane.
        high: The second.
    """

    axis: int
    low: float
    high: float

    def cross(self, rays: Rays) -> tuple[Numbers, Numbers]:
        start, direction = rays.starts[self.axis], _nonzero(rays.directions[self.axis])
        first, second = (self.low - start) / direction, (self.high - start) / direction
        return np.minimum(first, second), np.maximum(first, second)

    def normals(self, points: Numbers, rays: Rays) -> Numbers:
        normals = np.zeros_like(points)
        normals[self.axis] = -np.sign(rays.directions[self.axis])
        return normals


@dataclass(frozen=True)
class Round(Body):
    """Creates a ball, or over two axes an endless cylinder.

    Args:
        axes: The axes in which the distance to the centre is measured.
        centre: The centre, three coordinates.
        radius: The radius.
    """

    axes: tuple[int, ...]
    centre: tuple[float, float, float]
    radius: float

    def cross(self, rays: Rays) -> tuple[Numbers, Numbers]:
        offsets = [rays.starts[axis] - np.float32(self.centre[axis]) for axis in self.axes]
        directions = [rays.directions[axis] for axis in self.axes]
        square = _nonzero(sum(direction**2 for direction in directions))
        middle = sum(offset * direction for offset, direction in zip(offsets, directions, strict=True))
        outside = sum(offset**2 for offset in offsets) - np.float32(self.radius**2)
        inside = middle**2 - square * outside
        half = np.where(inside > 0, np.sqrt(np.maximum(inside, 0)), np.float32(-np.inf))
        return (-middle - half) / square, (-middle + half) / square

    def normals(self, points: Numbers, rays: Rays) -> Numbers:
        normals = np.zeros_like(points)
        for axis in self.axes:
            normals[axis] = (points[axis] - self.centre[axis]) / self.radius
        return normals


Part: TypeAlias = tuple[Body, ...]
Solid: TypeAlias = tuple[Part, ...]


def meet(solid: Solid, rays: Rays) -> tuple[Numbers, Numbers]:
    """Returns where rays first meet a solid, infinity where they miss, with shape (n,), and its normals there, (3, met).

    Args:
        solid: The solid, which may have no parts.
        rays: The rays, which start outside.
    """
    entries = [(body, entry) for part in solid for body, entry in _enter(part, rays)]
    nearest = np.full(rays.directions.shape[1], np.inf, dtype=np.float32)
    for _, entry in entries:
        nearest = np.minimum(nearest, entry)
    met = np.isfinite(nearest)
    hits = rays.chosen(met)
    points = hits.reach(nearest[met])
    normals = np.zeros_like(points)
    for body, entry in entries:
        first = entry[met] == nearest[met]
        normals[:, first] = body.normals(points[:, first], hits.chosen(first))
    return nearest, normals


def is_met(solid: Solid, rays: Rays) -> NDArray[np.bool_]:
    """Returns whether rays meet a solid, with shape (n,).

    Args:
        solid: The solid, which may have no parts.
        rays: The rays, which start outside.
    """
    met: NDArray[np.bool_] = np.zeros(rays.starts.shape[1], dtype=bool)
    for part in solid:
        for _, entry in _enter(part, rays):
            met |= np.isfinite(entry)
    return met


def _enter(part: Part, rays: Rays) -> list[tuple[Body, Numbers]]:
    """Returns for each body where rays enter the part through its surface, infinity elsewhere, with shape (n,)."""
    crossed = [body.cross(rays) for body in part]
    entry = np.maximum.reduce([first for first, _ in crossed])
    leaving = np.minimum.reduce([last for _, last in crossed])
    met = (entry < leaving) & (entry > 0)
    return [
        (body, np.where(met & (first == entry), entry, np.float32(np.inf)))
        for body, (first, _) in zip(part, crossed, strict=True)
    ]


def _nonzero(values: Numbers) -> Numbers:
    return np.where(np.abs(values) < 1e-6, np.float32(1e-6), values)


def _cube(scale: float) -> Solid:
    half = 0.57 * scale
    return ((Slab(0, -half, half), Slab(1, -half, half), Slab(2, 0, 2 * half)),)


def _cylinder(scale: float) -> Solid:
    return ((Round((0, 1), (0, 0, 0), 0.6 * scale), Slab(2, 0, 1.2 * scale)),)


def _sphere(scale: float) -> Solid:
    radius = 0.71 * scale
    return ((Round((0, 1, 2), (0, 0, radius), radius),),)


def _capsule(scale: float) -> Solid:
    radius, top = 0.46 * scale, 1.14 * scale
    body = (Round((0, 1), (0, 0, 0), radius), Slab(2, radius, top))
    return (body, *((Round((0, 1, 2), (0, 0, height), radius),) for height in (radius, top)))


SOLIDS: Mapping[str, Callable[[float], Solid]] = {
    "cube": _cube,
    "cylinder": _cylinder,
    "sphere": _sphere,
    "capsule": _capsule,
}
"""The solids by name, each of a given scale, standing on the floor in the middle."""
