"""The outlines of sprites: how far a point lies outside, in units of the sprite's radius."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float32]
Outline: TypeAlias = Callable[[Points, Points], Points]


def wedge(u: Points, v: Points) -> Points:
    """Returns the distance from a slender triangle that points along the first axis.

    Args:
        u: The first coordinates.
        v: The second coordinates.
    """
    side = np.abs(v)
    side *= np.float32(0.942)  # the normal of the long sides, from the tip (1, 0) to the corner (-0.7, 0.6)
    side += (u - np.float32(1.0)) * np.float32(0.333)
    outside: Points = np.maximum(side, np.float32(-0.7) - u)
    return outside


def moon(u: Points, v: Points) -> Points:
    """Returns the distance from a disc out of which another, shifted along the first axis, is cut.

    Args:
        u: The first coordinates.
        v: The second coordinates.
    """
    square = v * v
    disc = np.sqrt(u * u + square) - np.float32(0.9)
    ahead = u - np.float32(0.55)
    outside: Points = np.maximum(disc, np.float32(0.7) - np.sqrt(ahead * ahead + square))
    return outside


def half_disc(u: Points, v: Points) -> Points:
    """Returns the distance from half a disc, whose straight side faces along the first axis.

    Args:
        u: The first coordinates.
        v: The second coordinates.
    """
    back = u - np.float32(0.4)
    outside: Points = np.maximum(np.sqrt(back * back + v * v) - np.float32(0.95), back)
    return outside


def hammer(u: Points, v: Points) -> Points:
    """Returns the distance from a bar with a bar across its end, as the letter T.

    Args:
        u: The first coordinates.
        v: The second coordinates.
    """
    side = np.abs(v)
    head = np.maximum(np.abs(u - np.float32(0.5)) - np.float32(0.2), side - np.float32(0.7))
    handle = np.maximum(np.abs(u + np.float32(0.2)) - np.float32(0.7), side - np.float32(0.2))
    outside: Points = np.minimum(head, handle)
    return outside


SHAPES = ("triangle", "moon", "half disc", "T")
"""The names of the outlines, in their order."""
OUTLINES: tuple[Outline, ...] = (wedge, moon, half_disc, hammer)
"""Each lies within the radius 1, and looks the same after a full turn only."""
