"""Sprites and manifolds: drawn as their factors say, the same from every seed, at every index."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from otae.errors import ConfigError
from otae.testing import DatasetSuite
from otae_datasets import Manifolds, Sprites

AREAS = {0: 1.7 * 0.601, 2: math.pi * 0.95**2 / 2, 3: 1.04}
"""The areas of the triangle, the half disc and the T, in squared radii."""
CENTROIDS = {0: -0.4 / 3, 3: (0.56 * 0.5 - 0.56 * 0.2 - 0.08 * 0.4) / 1.04}
"""How far the centroids of the triangle and the T lie ahead of the middle, in radii."""


class TestSprites(DatasetSuite):
    plugin = Sprites
    options = {"count": 50, "size": 24}


class TestSpritesOfLevels(DatasetSuite):
    plugin = Sprites
    options = {"count": 20, "size": 17, "levels": 4, "seed": 3}


class TestSpritesTurnedALittle(DatasetSuite):
    plugin = Sprites
    options = {"count": 20, "size": 17, "levels": 5, "rotation_range": 90.0}


@pytest.mark.parametrize("kind", ["swiss-roll", "torus", "rings"])
class TestManifolds(DatasetSuite):
    plugin = Manifolds

    @pytest.fixture(autouse=True)
    def choose(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "options", {"kind": kind, "count": 40, "dim": 5, "noise": 0.1})


def pictures(count: int = 600, size: int = 64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns each sprite's cover of each pixel, its factors and its shape."""
    sprites = Sprites(count=count, size=size)
    cover = sprites.__getitems__(range(count)).amax(1).double().numpy()
    return cover, sprites.factors.table.double().numpy(), sprites.labels.numpy()


@pytest.mark.parametrize(("shape", "area"), AREAS.items())
def test_a_sprite_covers_the_area_of_its_outline(shape, area) -> None:
    cover, factors, shapes = pictures()
    chosen = shapes == shape
    radii = 64 * factors[chosen, 1]
    np.testing.assert_allclose(cover[chosen].sum((1, 2)), area * radii**2, rtol=0.05)


@pytest.mark.parametrize(("shape", "ahead"), CENTROIDS.items())
def test_a_sprite_stands_where_its_factors_say_turned_as_they_say(shape, ahead) -> None:
    cover, factors, shapes = pictures()
    _, scale, angle, x, y, _ = factors[shapes == shape].T
    drawn, pixels = cover[shapes == shape], np.arange(64) + 0.5
    total = drawn.sum((1, 2))
    room = 64 - 2 * (0.24 * 64 + 1)
    ahead = ahead * scale * 64
    across = (drawn.sum(1) * pixels).sum(1) / total - (x * room + (64 - room) / 2)
    down = (drawn.sum(2) * pixels).sum(1) / total - (y * room + (64 - room) / 2)
    np.testing.assert_allclose(across, ahead * np.cos(angle), atol=0.1)
    np.testing.assert_allclose(down, ahead * np.sin(angle), atol=0.1)


def test_the_colour_is_that_of_the_hue() -> None:
    sprites = Sprites(count=100)
    brightest = sprites.__getitems__(range(100)).flatten(2).amax(2).numpy()
    import colorsys

    expected = [colorsys.hsv_to_rgb(hue, 0.8, 1.0) for hue in sprites.factors.column("hue").tolist()]
    np.testing.assert_allclose(brightest, expected, atol=1e-5)


@pytest.mark.parametrize("size", [16, 33, 64])
def test_no_sprite_touches_the_rim(size) -> None:
    drawn = Sprites(count=300, size=size).__getitems__(range(300))
    for rim in (drawn[..., 0], drawn[..., -1], drawn[:, :, 0], drawn[:, :, -1]):
        assert rim.max() == 0
    assert drawn.flatten(1).amax(1).min() > 0.5


def test_factors_are_independent_and_cover_their_ranges() -> None:
    factors = Sprites(count=20_000).factors.table.numpy()
    correlation = np.corrcoef(factors.T) - np.eye(6)
    assert np.abs(correlation).max() < 5 / math.sqrt(20_000)
    np.testing.assert_allclose(factors.min(0), [0, 0.12, 0, 0, 0, 0], atol=1e-2)
    np.testing.assert_allclose(factors.max(0), [3, 0.24, 2 * math.pi, 1, 1, 1], atol=1e-2)


def test_levels_are_equal_steps_that_do_not_meet_round_the_circle() -> None:
    factors = Sprites(count=500, levels=4).factors.table
    assert factors[:, 3].unique().tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert factors[:, 2].unique().tolist() == pytest.approx([0, math.pi / 2, math.pi, 3 * math.pi / 2])


@pytest.mark.parametrize(("degrees", "levels"), [(60.0, None), (60.0, 5), (359.0, None)])
def test_a_limited_rotation_is_an_ordered_factor_on_both_sides_of_zero(degrees, levels) -> None:
    factors = Sprites(count=3000, rotation_range=degrees, levels=levels).factors
    turn = factors.kinds[2]
    half = math.radians(degrees) / 2
    assert (turn.name, turn.kind, turn.period) == ("rotation", "ordered", None)
    assert float(factors.column("rotation").min()) == pytest.approx(-half, rel=0.01)
    assert float(factors.column("rotation").max()) == pytest.approx(half, rel=0.01)
    assert turn.values == (levels and pytest.approx(np.linspace(-half, half, levels).tolist()))


def test_a_full_rotation_and_the_hue_are_circles() -> None:
    kinds = Sprites(count=10, levels=4).factors.kinds
    assert [(kind.name, kind.period) for kind in kinds if kind.kind == "circular"] == [
        ("rotation", pytest.approx(2 * math.pi)),
        ("hue", 1),
    ]
    assert kinds[2].values == pytest.approx((0, math.pi / 2, math.pi, 3 * math.pi / 2))


def test_a_million_sprites_need_no_more_than_their_factors() -> None:
    sprites = Sprites(count=1_000_000)
    assert sprites.factors.table.nbytes == 24_000_000
    assert sprites[999_999].max() > 0.5


def test_the_torus_and_the_rings_satisfy_their_equations() -> None:
    x, y, z = Manifolds(kind="torus", count=5000).__getitems__(range(5000)).double().T
    torch.testing.assert_close(((x**2 + y**2).sqrt() - 1) ** 2 + z**2, torch.full_like(x, 0.16), atol=1e-6, rtol=0)
    rings = Manifolds(kind="rings", count=600)
    radii = rings.__getitems__(range(600)).norm(dim=1)
    torch.testing.assert_close(radii, (rings.labels + 1) / 3)


def test_the_coordinates_of_the_roll_are_lengths_on_it() -> None:
    roll = Manifolds(count=4000)
    points, sheet = roll.__getitems__(range(4000)).double().numpy(), roll.factors.table.double().numpy()
    through, along = pdist(points), pdist(sheet)
    near = along < 0.15
    np.testing.assert_allclose(through[near], along[near], rtol=5e-3, atol=1e-5)
    assert (through <= along + 1e-5).all()


def test_points_of_the_torus_are_uniform_by_area() -> None:
    across = Manifolds(kind="torus", count=40_000).factors.column("across")
    assert float(across.cos().mean()) == pytest.approx(0.2, abs=4 / math.sqrt(40_000))


@pytest.mark.parametrize("kind", ["swiss-roll", "torus", "rings"])
def test_distances_stay_in_higher_dimensions(kind) -> None:
    own, high = Manifolds(kind=kind, count=60), Manifolds(kind=kind, count=60, dim=20)
    assert high.data_shape == (20,)
    np.testing.assert_allclose(pdist(high.__getitems__(range(60))), pdist(own.__getitems__(range(60))), rtol=1e-4)


def test_noise_has_its_standard_deviation_in_every_entry() -> None:
    clean, noisy = (
        Manifolds(kind="rings", count=20_000, noise=noise).__getitems__(range(20_000)) for noise in (0, 0.3)
    )
    np.testing.assert_allclose((noisy - clean).std(0), 0.3, rtol=0.03)


def test_too_few_dimensions_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"dim=2 is too small for the manifold 'torus', which needs 3"):
        Manifolds(kind="torus", dim=2)


def test_an_index_outside_is_refused() -> None:
    with pytest.raises(IndexError, match="no sample -1: there are 5, counted from 0"):
        Sprites(count=5)[-1]
