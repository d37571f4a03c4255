"""A matrix of numbers as colours, each cell with its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..canvas import literal, panel
from ..theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...interfaces import Table

_WRITTEN = 20  # columns up to which values stand in the cells
_CELL, _LEAST, _MOST = 0.42, 4.4, 10.5  # inches


def heatmap(table: Table, theme: Theme) -> Figure:
    """Returns a matrix as colours: from the lowest value to the highest, or about 0 where there are negative ones.

    Args:
        table: The matrix and the names of its rows and columns.
        theme: The colours.
    """
    from matplotlib.colors import LinearSegmentedColormap

    values = table.values.double().numpy()
    rows, columns = values.shape
    width = min(_MOST, max(_LEAST, 1.2 + _CELL * columns))
    figure, axes = panel(theme, width, min(_MOST, max(1.4, 0.9 + 0.32 * rows)))
    size = float(np.abs(values).max()) or 1.0
    low = -size if values.min() < 0 else 0.0
    stops = [theme.contrast, theme.surface, theme.accent] if low else [theme.surface, theme.accent]
    colours = LinearSegmentedColormap.from_list("cells", stops)
    axes.imshow(values, cmap=colours, vmin=low, vmax=size, aspect="auto", interpolation="nearest")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_yticks(range(rows), [literal(name) for name in table.rows])
    turned = max(map(len, table.columns)) > 4 and columns > 6
    axes.set_xticks(range(columns), [literal(name) for name in table.columns], rotation=90 if turned else 0)
    axes.tick_params(labelcolor=theme.ink, labelsize=8)
    if columns <= _WRITTEN:
        for (row, column), value in np.ndenumerate(values):
            strong = abs(value) > 0.6 * size
            ink = theme.surface if strong else theme.ink
            axes.text(column, row, _short(float(value)), ha="center", va="center", fontsize=7, color=ink)
    return figure


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 or value == int(value) else f"{value:.2f}".lstrip("0")
