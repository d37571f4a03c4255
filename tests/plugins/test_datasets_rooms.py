"""Rooms: drawn as their six factors say, by an independent pinhole camera, and each told apart from every other."""

from __future__ import annotations

import colorsys
import math
import pickle

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from otae.testing import DatasetSuite
from otae_datasets import Rooms
from otae_datasets.room import draw_layers
from otae_datasets.solids import SOLIDS, Rays, is_met, meet

RANDOM = np.random.default_rng(0)
SHAPES = list(SOLIDS)
INSIDE = {
    "cube": lambda x, y, z: (abs(x) < 0.57) & (abs(y) < 0.57) & (z > 0) & (z < 1.14),
    "cylinder": lambda x, y, z: (np.hypot(x, y) < 0.6) & (z > 0) & (z < 1.2),
    "sphere": lambda x, y, z: np.sqrt(x**2 + y**2 + (z - 0.71) ** 2) < 0.71,
    "capsule": lambda x, y, z: np.sqrt(x**2 + y**2 + (z - np.clip(z, 0.46, 1.14)) ** 2) < 0.46,
}
"""Which points lie inside a solid of scale 1."""


class TestRooms(DatasetSuite):
    plugin = Rooms
    options = {"count": 40, "size": 16}


def rays(count: int = 20_000) -> Rays:
    """Returns rays that start on a sphere about the solids and lead through the middle of them."""
    starts = RANDOM.standard_normal((3, count))
    starts *= 4 / np.linalg.norm(starts, axis=0)
    aims = RANDOM.uniform(-1.3, 1.3, (3, count))
    aims[2] += 0.6
    directions = aims - starts
    directions /= np.linalg.norm(directions, axis=0)
    return Rays(starts.astype(np.float32), directions.astype(np.float32))


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("scale", [0.75, 1.25])
def test_rays_meet_a_solid_where_they_enter_it(name, scale) -> None:
    shot, inside = rays(), INSIDE[name]
    t, normals = meet(SOLIDS[name](scale), shot)
    met = np.isfinite(t)
    assert 0.1 < met.mean() < 0.9
    assert inside(*shot.chosen(met).reach(t[met] + 5e-3) / scale).mean() > 0.99, "grazing rays leave at once"
    assert not inside(*shot.chosen(met).reach(t[met] - 1e-3) / scale).any()
    through = np.stack([inside(*shot.chosen(~met).reach(np.float32(far)) / scale) for far in np.linspace(2, 6, 41)])
    assert not through.any()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=0), 1, atol=1e-4)
    assert ((normals * shot.directions[:, met]).sum(0) < 1e-4).all()
    np.testing.assert_array_equal(is_met(SOLIDS[name](scale), shot), met)


@pytest.mark.parametrize("name", SHAPES)
def test_normals_are_those_of_the_surface(name) -> None:
    shot, inside = rays(3000), INSIDE[name]
    t, normals = meet(SOLIDS[name](1.0), shot)
    points = shot.chosen(np.isfinite(t)).reach(t[np.isfinite(t)])
    tangents = np.cross(normals, RANDOM.standard_normal(normals.shape), axis=0)
    tangents *= 0.02 / np.linalg.norm(tangents, axis=0)
    above = inside(*(points + tangents + 5e-3 * normals)) | inside(*(points - tangents + 5e-3 * normals))
    assert above.mean() < 0.01, "a convex surface lies below its tangents; half-way round the corner no more than these"
    below = inside(*(points + tangents - 5e-3 * normals)) | inside(*(points - tangents - 5e-3 * normals))
    assert below.mean() > 0.99


@pytest.mark.parametrize("degrees", [-30, -10, 0, 20])
def test_points_of_the_room_appear_where_a_pinhole_camera_shows_them(degrees) -> None:
    angle, size = math.radians(degrees), 256
    layers = draw_layers((), angle, size)
    places = RANDOM.uniform(-3.35, 3.35, (3, 4000))
    along, height = places[0], np.abs(places[2])
    end = np.full(4000, 3.4)
    surfaces = [
        (np.stack([places[0], places[1], 0 * end]), 0, (0.6, 0.99)),  # the floor, and three walls in their own light
        (np.stack([along, end, height]), 1, (0.8, 0.8)),
        (np.stack([-end, along, height]), 1, (0.66, 0.66)),
        (np.stack([end, along, height]), 1, (0.94, 0.94)),
    ]
    seen = []
    for points, surface, bounds in surfaces:
        # the camera looks at a point from the direction of the angle; its own axes are those of the world, turned
        offsets = points - np.array([[-3.3 * math.sin(angle)], [-3.3 * math.cos(angle)], [1.9]])
        across = math.cos(angle) * offsets[0] - math.sin(angle) * offsets[1]
        forth = math.sin(angle) * offsets[0] + math.cos(angle) * offsets[1]
        tilt = math.atan2(1.9 - 0.6, 3.3)
        depth = math.cos(tilt) * forth - math.sin(tilt) * offsets[2]
        up = math.sin(tilt) * forth + math.cos(tilt) * offsets[2]
        view = math.tan(math.radians(25)) * depth.clip(1e-6)
        column, row = (1 + across / view) / 2 * size, (1 - up / view) / 2 * size
        shown = (depth > 0) & (column > 2) & (column < size - 2) & (row > 2) & (row < size - 2)
        found = layers[surface, row[shown].astype(int), column[shown].astype(int)]
        near = (found >= bounds[0] - 1e-3) & (found <= bounds[1] + 1e-3)
        seen.append(len(found))
        assert near.mean() > 0.97 if len(found) else True, "but for points at a corner"
    assert seen[0] > 100
    assert seen[1] > 100


@pytest.mark.parametrize("name", SHAPES)
def test_edges_are_the_shares_of_what_they_part(name) -> None:
    solid = SOLIDS[name](1.0)
    fine = draw_layers(solid, 0.3, 32 * 16).reshape(4, 32, 16, 32, 16).mean((2, 4))
    gap = np.abs(draw_layers(solid, 0.3, 32) - fine)
    assert gap.max() < 0.13, "two of sixteen rays"
    assert gap.mean() < 2e-3


@pytest.mark.parametrize("name", SHAPES)
def test_layers_are_shares_that_fill_each_pixel_and_no_more(name) -> None:
    layers = draw_layers(SOLIDS[name](1.25), -0.5, 32)
    assert layers.min() >= 0
    assert layers.sum(0).max() < 1
    assert layers.sum(0).min() > 0.3


def test_surfaces_have_the_colours_of_their_hues() -> None:
    rooms = Rooms(count=60, size=24)
    pictures = rooms.__getitems__(range(60)).numpy()
    for what, (row, column), atol in (("floor", (-1, 0), 2e-3), ("wall", (0, 12), 2e-3), ("object", (15, 12), 0.05)):
        pixels = pictures[:, :, row, column]  # of the object, with a little white light
        expected = [colorsys.hsv_to_rgb(hue, 0.75, 1) for hue in rooms.factors.column(f"{what}_hue").tolist()]
        np.testing.assert_allclose(pixels / pixels.max(1, keepdims=True), expected, atol=atol)


@pytest.mark.slow
def test_every_solid_scale_and_angle_looks_different_even_when_small() -> None:
    rooms = Rooms(count=None, size=16)
    plain = list(range(480))
    assert (rooms.factors.table[plain, :3] == 0).all()
    pictures = rooms.__getitems__(plain).flatten(1).numpy()
    assert pdist(pictures, "chebyshev").min() > 0.02


def test_all_rooms_are_every_combination_once() -> None:
    table = Rooms(count=None, size=16).factors
    assert len(table) == 480_000
    bins = table.bins(15).numpy()
    assert bins.max(0).tolist() == [9, 9, 9, 7, 3, 14]
    codes = np.ravel_multi_index(tuple(bins.T), (10, 10, 10, 8, 4, 15))
    np.testing.assert_array_equal(codes, np.arange(480_000))


def test_factors_are_independent_and_even() -> None:
    table = Rooms(count=20_000).factors.table.numpy()
    assert np.abs(np.corrcoef(table.T) - np.eye(6)).max() < 5 / math.sqrt(20_000)
    for column, levels in zip(table.T, (10, 10, 10, 8, 4, 15), strict=True):
        shares = np.unique(column, return_counts=True)[1] / 20_000
        np.testing.assert_allclose(shares, np.full(levels, 1 / levels), atol=5 * math.sqrt(1 / levels / 20_000))


def test_what_is_drawn_is_not_sent_to_another_process() -> None:
    rooms = Rooms(count=20, size=16)
    before = len(pickle.dumps(rooms))
    first = rooms.__getitems__(range(20))
    assert len(pickle.dumps(rooms)) == before
    assert torch.equal(pickle.loads(pickle.dumps(rooms)).__getitems__(range(20)), first)
