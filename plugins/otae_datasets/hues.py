"""The colours of the colour wheel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def colours(hue: NDArray[np.float64], saturation: float) -> NDArray[np.float32]:
    """Returns red, green and blue of the brightest colours, with shape (3, n).

    Args:
        hue: The places on the wheel, in [0, 1): red is 0, green 1/3, blue 2/3; with shape (n,).
        saturation: From 0 for white to 1 for pure colours.
    """
    place = (np.array([5.0, 3.0, 1.0])[:, None] + 6 * hue) % 6
    return (1 - saturation * np.clip(np.minimum(place, 4 - place), 0, 1)).astype(np.float32)
