"""The colours of pictures, on light and on dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: The ten accessible categorical colours of "Accessible Color Sequences for Data Visualization" (Petroff, 2021)
CLASSES = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip


@dataclass(frozen=True)
class Theme:
    """Creates the colours of a picture.

    Args:
        name: The name, a part of file names.
        surface: What lies behind the picture, which itself is transparent.
        ink: Text and lines of reference.
        muted: Axes and their labels.
        grid: The grid.
        accent: What the model makes.
        contrast: What stands against it.
        ramp: A sequence for densities, from few to many.
    """

    name: str
    surface: str
    ink: str
    muted: str
    grid: str
    accent: str
    contrast: str
    ramp: Sequence[str]


LIGHT = Theme(
    "light", "#ffffff", "#1b2430", "#5f6b7a", "#e3e7ec", "#0b6bb0", "#c2500a",
    ("#dcebf7", "#8fc1e3", "#3f8fc6", "#0f5f9e", "#082f57"),
)  # fmt: skip
DARK = Theme(
    "dark", "#171d25", "#e8edf3", "#9aa7b6", "#2b3542", "#5cb3ee", "#f0954d",
    ("#1d3247", "#245b87", "#3f8fc6", "#8cc8ef", "#e9f5fd"),
)  # fmt: skip
