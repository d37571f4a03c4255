"""The dataset of drawn sprites: pictures of known factors, drawn when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from otae.interfaces import Factor, Factors

from .batched import Batched
from .indices import checked
from .outlines import OUTLINES, SHAPES, Outline

_SMALL, _LARGE = 0.12, 0.24
"""The least and the largest radius of a sprite, as a share of the picture's side."""
_LOWS, _HIGHS = np.array([_SMALL, 0, 0, 0, 0]), np.array([_LARGE, 2 * np.pi, 1, 1, 1])
"""The bounds of each factor but the shape."""


class Sprites(Batched):
    r"""Creates pictures (3, size, size) of one sprite on black, drawn from six independent factors when asked for.

    No file is read and none is kept, so a million pictures cost no disk: only their factors are held, 24 bytes a picture.
    Edges are smooth: a pixel's brightness is its share of the sprite, to first order in the distance $d$ from the outline,
    $\min(1, \max(0, 1/2 - d))$ with $d$ in pixels. No sprite looks the same after a turn of less than a full one, so that
    every factor can be read off the picture. Labels are the shapes.

    Factors: `shape`, whole; `scale`, the radius as a share of the side; `rotation` in [0, 2π); `x` and `y`, the centre in
    [0, 1] of the room that the largest sprite leaves; `hue` in [0, 1), round the colour wheel.

    Args:
        count: The number of pictures.
        size: The height and width in pixels.
        levels: The number of values of each factor but the shape, at equal steps; any value where `None`.
        seed: The seed of the factors.

    Examples:
        >>> sprites = Sprites(count=1_000_000)
        >>> sprites.__getitems__([0, 999_999]).shape, sprites.factors.names
        (torch.Size([2, 3, 64, 64]), ('shape', 'scale', 'rotation', 'x', 'y', 'hue'))
    """

    def __init__(
        self,
        *,
        count: Annotated[int, Field(gt=0)] = 10_000,
        size: Annotated[int, Field(ge=16)] = 64,
        levels: Annotated[int, Field(ge=2)] | None = None,
        seed: Annotated[int, Field(ge=0)] = 0,
    ) -> None:
        super().__init__()
        self._size = size
        self.data_shape, self.value_range = (3, size, size), (0.0, 1.0)
        self._table = _drawn(count, levels, np.random.default_rng(seed))
        self.factors = Factors(torch.from_numpy(self._table), _kinds(levels))
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


def _drawn(count: int, levels: int | None, random: np.random.Generator) -> NDArray[np.float32]:
    """Returns the factors, with shape (count, 6)."""
    shapes = random.integers(len(OUTLINES), size=count)
    units = random.random((count, 5)) if levels is None else random.integers(levels, size=(count, 5)) / _steps(levels)
    return np.column_stack([shapes, _LOWS + units * (_HIGHS - _LOWS)]).astype(np.float32)


def _kinds(levels: int | None) -> tuple[Factor, ...]:
    table = None if levels is None else (_LOWS + np.arange(levels)[:, None] / _steps(levels) * (_HIGHS - _LOWS)).T
    values = [None] * 5 if table is None else [tuple(row.astype(np.float32).tolist()) for row in table]
    return (
        Factor("shape", "categorical", tuple(range(len(OUTLINES))), labels=SHAPES),
        Factor("scale", values=values[0]),
        Factor("rotation", "circular", values[1], period=2 * np.pi),
        Factor("x", values=values[2]),
        Factor("y", values=values[3]),
        Factor("hue", "circular", values[4], period=1.0),
    )


def _steps(levels: int) -> NDArray[np.int64]:
    return np.array([levels - 1, levels, levels - 1, levels - 1, levels])  # angle and hue end where they begin


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
    for channel, shade in enumerate(_colours(hue)):
        windows[chosen, channel, corners[0], corners[1]] = cover * shade[:, None, None]


def _colours(hue: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns red, green and blue of bright, clear colours, with shape (3, n)."""
    offsets = np.array([5.0, 3.0, 1.0])[:, None]
    place = (offsets + 6 * hue) % 6
    return (1 - 0.8 * np.clip(np.minimum(place, 4 - place), 0, 1)).astype(np.float32)
