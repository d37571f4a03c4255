"""What one entry of a code does to data that are no images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..canvas import keyed, literal, named, panel
from ..theme import CLASSES, Theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

_LEGEND = 6  # features that are told apart by a legend


def responses(values: Sequence[float], decoded: Tensor, names: Sequence[str], dimension: int, theme: Theme) -> Figure:
    """Returns every feature of decoded codes over the value of one entry.

    Args:
        values: The V values of the entry.
        decoded: What the codes decode to, with shape (V, D).
        names: The features' names.
        dimension: The entry's index.
        theme: The colours.
    """
    figure, axes = panel(theme, 3.5, 2.3)
    curves = decoded.double().numpy()
    moved = np.argsort(-np.ptp(curves, axis=0))
    for place, feature in enumerate(moved[::-1]):
        rank = len(moved) - 1 - place
        shown = rank < _LEGEND
        colour = CLASSES[rank % len(CLASSES)] if shown else theme.grid
        axes.plot(
            values, curves[:, feature], color=colour, linewidth=1.3, label=literal(names[feature]) if shown else None
        )
    keyed(axes, theme)
    named(axes, theme, f"code, entry {dimension + 1}", "decoded value")
    return figure


def sweep(values: Sequence[float], decoded: Tensor, dimension: int, theme: Theme) -> Figure:
    """Returns decoded codes as lines over the features, from the lowest value of one entry to the highest.

    Args:
        values: The V values of the entry.
        decoded: What the codes decode to, with shape (V, D).
        dimension: The entry's index.
        theme: The colours.
    """
    from matplotlib.colors import LinearSegmentedColormap

    figure, axes = panel(theme, 3.5, 2.3)
    ramp = LinearSegmentedColormap.from_list("ramp", list(theme.ramp))
    features = np.arange(1, decoded.shape[1] + 1)
    for number, row in enumerate(decoded.double().numpy()):
        ends = number in (0, len(values) - 1)
        label = f"{values[number]:.2g}" if ends else None
        axes.plot(features, row, color=ramp(number / max(len(values) - 1, 1)), linewidth=1.1, label=label)
    keyed(axes, theme)
    named(axes, theme, "feature", f"decoded, by entry {dimension + 1}")
    return figure
