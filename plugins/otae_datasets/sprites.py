"""The dataset of drawn sprites: pictures of known factors, drawn when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from otae.interfaces import Factor, Factors

from .batched import Batched
from .hues import colours
from .indices import checked
from .memory_limit import require_memory
from .outlines import OUTLINES, SHAPES, Outline

_SMALL, _LARGE = 0.12, 0.24
"""The least and the largest radius of a sprite, as a share of the picture's side."""


@dataclass(frozen=True)
class Range:
    """Holds the range of a factor that may take any value.

    Args:
        name: The factor's name.
        low: The least value.
        high: The largest.
        circular: Whether the range is a full circle, whose ends are one.
    """

    name: str
    low: float
    high: float
    circular: bool = False

    def place(self, units: NDArray[np.float64]) -> NDArray[np.float32]:
        """Returns the values at shares of the range.

        Args:
            units: The shares, in [0, 1].
        """
        values: NDArray[np.float32] = (self.low + units * (self.high - self.low)).astype(np.float32)
        return values

    def units(self, levels: int) -> NDArray[np.float64]:
        """Returns equal steps through the range, as shares of it.

        Args:
            levels: Their number, the ends among them, or once round the circle.
        """
        return np.arange(levels) / (levels if self.circular else levels - 1)

    def factor(self, levels: int | None) -> Factor:
        """Returns what the factor is.

        Args:
            levels: The number of its values, or `None` for any.
        """
        values = None if levels is None else tuple(self.place(self.units(levels)).tolist())
        return Factor(
            self.name, "circular" if self.circular else "ordered", values, self.high if self.circular else None
        )


class Sprites(Batched):
    r"""Creates pictures (3, size, size) of one sprite on black, drawn from six independent factors when asked for.

    No file is read and none is kept, so a million pictures cost no disk: only their factors are held, 24 bytes a picture.
    Edges are smooth: a pixel's brightness is its share of the sprite, to first order in the distance $d$ from the outline,
    $\min(1, \max(0, 1/2 - d))$ with $d$ in pixels. No sprite looks the same after a turn of less than a full one, so that
    every factor can be read off the picture. Labels are the shapes.

    Factors: `shape`, whole; `scale`, the radius as a share of the side; `rotation` in [0, 2π), or in a range about 0; `x` and
    `y`, the centre in [0, 1] of the room that the largest sprite leaves; `hue` in [0, 1), round the colour wheel.

    Args:
        count: The number of pictures.
        size: The height and width in pixels.
        levels: The number of values of each factor but the shape, at equal steps; any value where `None`.
        rotation_range: The degrees over which sprites are turned, half to either side of 0. A full circle of 360 makes
            `rotation` a circular factor, which one coordinate of a code cannot follow; anything less, an ordered one.
        seed: The seed of the factors.

    Examples:
        >>> sprites = Sprites(count=1_000_000)
        >>> sprites.__getitems__([0, 999_999]).shape, sprites.factors.names
        (torch.Size([2, 3, 64, 64]), ('shape', 'scale', 'rotation', 'x', 'y', 'hue'))
    """

    def __init__(
        self,
        *,
        count: Annotated[int, Field(gt=0, le=1_000_000_000)] = 10_000,
        size: Annotated[int, Field(ge=16, le=4096)] = 64,
        levels: Annotated[int, Field(ge=2, le=1_000_000)] | None = None,
        rotation_range: Annotated[float, Field(gt=0, le=360)] = 360.0,
        seed: Annotated[int, Field(ge=0, lt=2**63)] = 0,
    ) -> None:
        super().__init__()
        self._size = size
        self.data_shape, self.value_range = (3, size, size), (0.0, 1.0)
        require_memory(200 * count, f"count: the factors of {count:,} pictures", "Give fewer")
        ranges = _ranges(rotation_range)
        self._table = _drawn(count, ranges, levels, np.random.default_rng(seed))
        shape = Factor("shape", "categorical", tuple(range(len(OUTLINES))), labels=SHAPES)
        self.factors = Factors(torch.from_numpy(self._table), (shape, *(each.factor(levels) for each in ranges)))
        self.labels, self.class_names = self.factors.column("shape").long(), SHAPES

    def __len__(self) -> int:
        return len(self._table)

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        rows = self._table[checked(indices, len(self))]
        pictures: NDArray[np.float32] = np.zeros((len(rows), 3, self._size, self._size), dtype=np.float32)
        for kind, outline in enumerate(OUTLINES):
            for chosen in _parts(np.flatnonzero(rows[:, 0] == kind)):
                _paint(pictures, chosen, rows[chosen], outline)
        return torch.from_numpy(pictures)


def _ranges(rotation: float) -> tuple[Range, ...]:
    half = math.radians(rotation) / 2
    turn = Range("rotation", 0, 2 * half, circular=True) if rotation == 360 else Range("rotation", -half, half)
    hue = Range("hue", 0, 1, circular=True)
    return (Range("scale", _SMALL, _LARGE), turn, Range("x", 0, 1), Range("y", 0, 1), hue)


def _drawn(count: int, ranges: Sequence[Range], levels: int | None, random: np.random.Generator) -> NDArray[np.float32]:
    """Returns the factors, with shape (count, 6)."""
    shapes = random.integers(len(OUTLINES), size=count)
    if levels is None:
        units = random.random((count, len(ranges))).T
    else:
        chosen = random.integers(levels, size=(count, len(ranges))).T
        units = np.stack([each.units(levels)[row] for each, row in zip(ranges, chosen, strict=True)])
    columns = [each.place(row) for each, row in zip(ranges, units, strict=True)]
    return np.stack([shapes.astype(np.float32), *columns], axis=1)


def _parts(chosen: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return np.array_split(chosen, max(1, -(-len(chosen) // 64)))  # few enough to stay in the cache


def _paint(
    pictures: NDArray[np.float32], chosen: NDArray[np.int64], rows: NDArray[np.float32], outline: Outline
) -> None:
    """Draws sprites of one shape, each in the window about it."""
    size = pictures.shape[2]
    half = int(np.ceil(_LARGE * size)) + 2  # the radius of the window, with a rim for smooth edges
    _, scale, angle, x, y, hue = rows.T.astype(np.float64)
    room = size - 2 * (_LARGE * size + 1)
    centres = np.stack([y, x]) * room + (size - room) / 2  # in pixels, with shape (2, n)
    corners = np.clip(np.floor(centres).astype(np.int64) - half, 0, size - min(2 * half, size))
    span = np.arange(min(2 * half, size))
    rise, run = (span + 0.5 + (corners - centres)[..., None]).astype(np.float32)  # from the centre, (n, window) each
    radius = scale * size
    cosine, sine = ((turn / radius).astype(np.float32)[:, None] for turn in (np.cos(angle), np.sin(angle)))
    u = (cosine * run)[:, None, :] + (sine * rise)[:, :, None]  # the sprite's own axes, in radii
    v = (cosine * rise)[:, :, None] - (sine * run)[:, None, :]
    distance = outline(u, v)
    distance *= -radius.astype(np.float32)[:, None, None]
    distance += np.float32(0.5)
    cover = np.clip(distance, 0, 1, out=distance)
    windows = np.lib.stride_tricks.sliding_window_view(pictures, (len(span), len(span)), (2, 3), writeable=True)
    for channel, shade in enumerate(colours(hue, 0.8)):
        windows[chosen, channel, corners[0], corners[1]] = cover * shade[:, None, None]
