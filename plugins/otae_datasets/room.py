"""A room with one solid, seen by a camera inside: how much of which colour each pixel shows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .solids import Numbers, Rays, Slab, Solid, dot, is_met, meet

_HALF = 3.4  # half the room's width
_DISTANCE, _HEIGHT, _AIM = 3.3, 1.9, 0.6  # the camera: from the centre, above the floor, and the height it looks at
_VIEW = math.tan(math.radians(25))  # half the field of view
_LIGHT = np.array([[-0.36], [-0.48], [0.8]], dtype=np.float32)  # towards the light, of length 1
_SIDES = 4  # rays across a pixel on an edge, and down it
_EDGE = 0.02  # the least jump from pixel to pixel that is an edge


def draw_layers(solid: Solid, angle: float, size: int) -> Numbers:
    """Returns the shares of floor, wall, object and white light in each pixel, with shape (4, size, size).

    A picture is the sum of these layers, each times its colour: colours enter linearly, so that one drawing serves all.
    Shading is included; shares sum to at most 1. A pixel on an edge is the mean of several rays, any other is one ray.

    Args:
        solid: The solid.
        angle: How far the camera has gone round the centre, in radians.
        size: The height and width in pixels.
    """
    rows, columns = np.divmod(np.arange(size**2), size)
    layers = _look(solid, angle, columns + 0.5, rows + 0.5, size)
    edges = np.flatnonzero(_find_edges(layers.reshape(4, size, size)))
    steps = (np.arange(_SIDES) + 0.5) / _SIDES
    across = columns[edges, None] + np.tile(steps, _SIDES)
    down = rows[edges, None] + np.repeat(steps, _SIDES)
    fine = _look(solid, angle, across.ravel(), down.ravel(), size)
    layers[:, edges] = fine.reshape(4, -1, _SIDES**2).mean(2)
    return layers.reshape(4, size, size)


def _find_edges(layers: Numbers) -> NDArray[np.bool_]:
    """Returns which pixels differ from the next in a row or column, with shape (size, size)."""
    edges = np.zeros(layers.shape[1:], dtype=bool)
    down = (np.abs(np.diff(layers, axis=1)) > _EDGE).any(0)
    edges[1:] |= down
    edges[:-1] |= down
    across = (np.abs(np.diff(layers, axis=2)) > _EDGE).any(0)
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    return edges


def _look(solid: Solid, angle: float, across: NDArray[np.float64], down: NDArray[np.float64], size: int) -> Numbers:
    """Returns the layers at points of a picture, in pixels from the upper left, with shape (4, n)."""
    rays = _aim(angle, 2 * across / size - 1, 1 - 2 * down / size)
    distance, normals = meet(solid, rays)
    met = np.isfinite(distance)
    layers = np.empty((4, len(distance)), dtype=np.float32)
    layers[:, met] = _object_layers(rays.chosen(met), normals)
    layers[:, ~met] = _room_layers(rays.chosen(~met), solid)
    return layers


def _aim(angle: float, right: NDArray[np.float64], up: NDArray[np.float64]) -> Rays:
    """Returns rays to points of a picture, in [-1, 1] from its middle."""
    east = np.array([math.cos(angle), -math.sin(angle), 0])
    eye = np.array([-_DISTANCE * math.sin(angle), -_DISTANCE * math.cos(angle), _HEIGHT])
    forward = np.array([0, 0, _AIM]) - eye
    forward /= np.linalg.norm(forward)
    north = np.cross(east, forward)
    axes = np.stack([east * _VIEW, north * _VIEW, forward], axis=1).astype(np.float32)
    directions = axes @ np.stack([right, up, np.ones_like(up)]).astype(np.float32)
    directions /= np.sqrt(dot(directions, directions))
    return Rays(eye[:, None].astype(np.float32), directions)


def _room_layers(rays: Rays, solid: Solid) -> Numbers:
    """Returns the layers of floor and walls, in the shadow of a solid, with shape (4, n)."""
    sides = [Slab(axis, -_HALF, _HALF).cross(rays)[1] for axis in (0, 1)]  # where rays leave the room
    ground = rays.starts[2] / np.maximum(-rays.directions[2], np.float32(1e-3))
    floor = ground < np.minimum(*sides)
    side = np.where(rays.directions[0] < 0, np.float32(0.66), np.float32(0.94))  # each wall in a light of its own
    layers = np.zeros((4, len(floor)), dtype=np.float32)
    layers[1] = np.where(floor, 0, np.where(sides[0] < sides[1], side, np.float32(0.8)))
    points = rays.chosen(floor).reach(ground[floor])
    shadow = is_met(solid, Rays(points, _LIGHT))
    bright = 0.98 - 0.012 * (points[0] ** 2 + points[1] ** 2)
    layers[0, floor] = bright * np.where(shadow, np.float32(0.55), np.float32(1))
    return layers


def _object_layers(rays: Rays, normals: Numbers) -> Numbers:
    """Returns the layers of the object and of the light on it, with shape (4, n)."""
    halfway = _LIGHT - rays.directions
    shine = 0.4 * (dot(normals, halfway).clip(0) / np.sqrt(dot(halfway, halfway))) ** 32
    layers = np.zeros((4, len(shine)), dtype=np.float32)
    layers[2] = (0.4 + 0.58 * dot(normals, _LIGHT).clip(0)) * (1 - shine)
    layers[3] = shine
    return layers
