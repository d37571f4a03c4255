"""The dataset of drawn rooms: pictures of six known factors, one solid in a room seen from inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

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
from .room import draw_layers
from .solids import SOLIDS

_HUES = np.arange(10) / 10
_SCALES = np.linspace(0.75, 1.25, 8)
_ANGLES = np.linspace(-30, 30, 15)
_VALUES = (_HUES, _HUES, _HUES, _SCALES, np.arange(len(SOLIDS)), _ANGLES)


class Rooms(Batched):
    """Creates pictures (3, size, size) in [0, 1] of one solid in a room, drawn from six independent factors when asked for.

    The camera stands inside, looks at the solid in the middle, and goes round it by 30 degrees to either side: where walls
    and floor meet, the sides of the solid and its shadow tell the angle. No file is read; shapes with smooth edges are
    drawn once for each solid, scale and angle, 480 in all, and coloured for each picture. Labels are the shapes.

    Factors, as many values as 3D Shapes has, so that there are 480,000 pictures in all: `floor_hue`, `wall_hue` and
    `object_hue`, ten places on the colour wheel; `scale`, eight from 0.75 to 1.25; `shape`, a cube, a cylinder, a sphere or
    a capsule; `orientation`, fifteen angles from -30 to 30 degrees. The hues are circular; no other factor is.

    Args:
        count: The number of pictures, each of factors drawn by seed; `None` for every combination once, the last factor
            changing first.
        size: The height and width in pixels.
        seed: The seed of the factors.

    References:
        3D Shapes Dataset (Burgess and Kim, 2018), whose factors these are
        https://github.com/google-deepmind/3d-shapes

    Examples:
        >>> rooms = Rooms(count=100, size=16)
        >>> rooms.data_shape, rooms.factors.names
        ((3, 16, 16), ('floor_hue', 'wall_hue', 'object_hue', 'scale', 'shape', 'orientation'))
    """

    def __init__(
        self,
        *,
        count: Annotated[int, Field(gt=0, le=1_000_000_000)] | None = 10_000,
        size: Annotated[int, Field(ge=16, le=4096)] = 64,
        seed: Annotated[int, Field(ge=0, lt=2**63)] = 0,
    ) -> None:
        super().__init__()
        self._size = size
        self.data_shape, self.value_range = (3, size, size), (0.0, 1.0)
        require_memory(100 * (count or 0), f"count: the factors of {count} pictures", "Give fewer")
        self._places = _places(count, np.random.default_rng(seed))
        columns = [values.astype(np.float32)[place] for values, place in zip(_VALUES, self._places.T, strict=True)]
        self.factors = Factors(torch.from_numpy(np.stack(columns, axis=1)), _KINDS)
        self.labels, self.class_names = self.factors.column("shape").long(), tuple(SOLIDS)
        self._drawn: dict[tuple[int, ...], NDArray[np.float16]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        places = self._places[checked(indices, len(self))]
        mixed = np.ones((len(places), 3, 4), dtype=np.float32)  # of floor, wall, object and white light
        for surface in range(3):
            mixed[:, :, surface] = colours(_HUES[places[:, surface]], 0.75).T
        pictures = np.empty((len(places), 3, self._size**2), dtype=np.float32)
        for picture, shade, place in zip(pictures, mixed, places.tolist(), strict=True):
            np.matmul(shade, self._layers(place[3], place[4], place[5]), out=picture)
        return torch.from_numpy(pictures.reshape(-1, *self.data_shape))

    def __getstate__(self) -> dict[str, Any]:
        # What is drawn would be sent whole to another process, which can as well draw it itself.
        return {**vars(self), "_drawn": {}}

    def _layers(self, *place: int) -> NDArray[np.float32]:
        """Returns the layers of one scale, shape and angle, with shape (4, pixels); drawn once, kept in half precision."""
        if place not in self._drawn:
            scale, shape, angle = place
            solid = tuple(SOLIDS.values())[shape](float(_SCALES[scale]))
            drawn = draw_layers(solid, float(np.radians(_ANGLES[angle])), self._size)
            self._drawn[place] = drawn.reshape(4, -1).astype(np.float16)
        return self._drawn[place].astype(np.float32)


def _places(count: int | None, random: np.random.Generator) -> NDArray[np.uint8]:
    """Returns which value each factor takes, with shape (count, 6)."""
    sizes = [len(values) for values in _VALUES]
    if count is None:
        return np.indices(sizes, dtype=np.uint8).reshape(len(sizes), -1).T
    return random.integers(sizes, size=(count, len(sizes))).astype(np.uint8)


def _single(values: NDArray[Any]) -> tuple[float, ...]:
    return tuple(values.astype(np.float32).tolist())


_KINDS = (
    *(Factor(f"{what}_hue", "circular", _single(_HUES), period=1.0) for what in ("floor", "wall", "object")),
    Factor("scale", "ordered", _single(_SCALES)),
    Factor("shape", "categorical", _single(np.arange(len(SOLIDS))), labels=tuple(SOLIDS)),
    Factor("orientation", "ordered", _single(_ANGLES)),
)
