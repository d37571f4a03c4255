"""A directed graph without cycles, from causes on the left to effects on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..canvas import panel
from ..theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def graph(adjacency: Tensor, theme: Theme) -> Figure:
    """Returns a graph: each dimension stands one column right of its last cause.

    Args:
        adjacency: The graph, with shape (K, K): 1 where i acts on j; without cycles.
        theme: The colours.
    """
    edges = adjacency.numpy() != 0
    places = positions(edges)
    depth, height = places.max(0) + 1
    figure, axes = panel(theme, max(3.2, 1.3 * depth), max(2.2, 0.8 * height))
    axes.set_axis_off()
    for cause, effect in zip(*np.nonzero(edges), strict=True):
        bend = 0.0 if places[effect, 0] - places[cause, 0] < 1.5 else 0.25
        axes.annotate(
            "", places[effect], places[cause],
            arrowprops={"arrowstyle": "-|>", "color": theme.muted, "shrinkA": 12, "shrinkB": 12, "linewidth": 1.1,
                        "connectionstyle": f"arc3,rad={bend}"},
        )  # fmt: skip
    axes.scatter(places[:, 0], places[:, 1], s=420, color=theme.accent, zorder=3)
    for number, place in enumerate(places):
        axes.text(
            float(place[0]),
            float(place[1]),
            str(number + 1),
            ha="center",
            va="center",
            fontsize=9,
            color=theme.surface,
            zorder=4,
        )
    axes.set_xlim(-0.5, depth - 0.5)
    axes.set_ylim(-0.6, height - 0.4)
    return figure


def positions(
    edges: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Returns a place for each node, with shape (K, 2): its depth, and its place among the nodes of that depth.

    Args:
        edges: The graph, with shape (K, K).
    """
    depths = np.zeros(len(edges), dtype=int)
    for _ in range(len(edges)):
        for cause, effect in zip(*np.nonzero(edges), strict=True):
            depths[effect] = max(depths[effect], min(depths[cause] + 1, len(edges) - 1))
    places = np.zeros((len(edges), 2))
    tallest = max(np.bincount(depths))
    for depth in np.unique(depths):
        members = np.flatnonzero(depths == depth)
        places[members, 0] = depth
        places[members, 1] = np.arange(len(members))[::-1] + (tallest - len(members)) / 2
    return places
