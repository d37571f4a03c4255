"""The pictures of a comparison: one figure over all variants, as bars or over an option that is a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from ..report.canvas import keyed, named, panel, scatter
from ..report.theme import CLASSES, Theme
from .comparison import Column, Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEWEST = 3  # values of an option from which a line says more than bars


def bars(comparison: Comparison, number: int, places: Sequence[int], theme: Theme) -> Figure:
    """Returns a figure of every variant: a bar up to its mean, its 95 % interval, and a dot for each seed.

    Args:
        comparison: The comparison.
        number: The number of the figure's column.
        places: The places of the variants.
        theme: The colours.
    """
    shown = [place for place in places if comparison.cells[place][number] is not None]
    figure, axes = panel(theme, 4.8, 0.9 + 0.34 * len(shown))
    column = comparison.columns[number]
    for height, place in enumerate(shown):
        cell = comparison.cells[place][number]
        if cell is not None:
            colour = theme.accent if cell.best else theme.muted
            axes.barh(height, cell.spread.mean, height=0.62, color=colour, alpha=0.55 if cell.best else 0.35)
            axes.plot([cell.spread.low, cell.spread.high], [height, height], color=theme.ink, linewidth=1.4)
        values = list(comparison.variants[place].values(comparison.split, column.metric, column.name).values())
        axes.plot(values, [height] * len(values), "o", color=theme.ink, markersize=3.2, alpha=0.7, linewidth=0)
    _mark_best(axes, column, theme, vertical=True)
    axes.set_yticks(range(len(shown)), [_cut(comparison.variants[place].title) for place in shown])
    axes.tick_params(axis="y", labelcolor=theme.ink)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.locator_params(axis="x", nbins=5)
    named(axes, theme, _axis(column), "")
    return figure


def lines(comparison: Comparison, number: int, places: Sequence[int], path: str, theme: Theme) -> Figure:
    """Returns a figure over an option that is a number: a line for each choice of the other options, and its 95 % interval.

    Args:
        comparison: The comparison.
        number: The number of the figure's column.
        places: The places of the variants.
        path: The option.
        theme: The colours.
    """
    figure, axes = panel(theme, 4.8, 3.0)
    column = comparison.columns[number]
    groups = _others(comparison, places, path)
    values = sorted({float(comparison.variants[place].settings[path]) for place in places})
    for colour, (name, members) in zip(_colours(len(groups), theme), groups.items(), strict=True):
        points = sorted(
            (float(comparison.variants[place].settings[path]), cell.spread)
            for place in members
            if (cell := comparison.cells[place][number]) is not None
        )
        x = [option for option, _ in points]
        axes.plot(x, [spread.mean for _, spread in points], "o-", color=colour, linewidth=1.6, markersize=4, label=name)
        low, high = [spread.low for _, spread in points], [spread.high for _, spread in points]
        axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    _mark_best(axes, column, theme, vertical=False)
    if values[0] > 0 and values[-1] / values[0] >= 20:
        axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.minorticks_off()
    if len(groups) > 1:
        keyed(axes, theme)
    named(axes, theme, comparison.labels[path], _axis(column))
    return figure


def plane(data: Tensor, others: Tensor, theme: Theme) -> Figure:
    """Returns data, and what a model makes of them upon them, in the plane of the two principal directions of the data.

    Args:
        data: The samples as vectors, with shape (N, D).
        others: What the model makes, with shape (M, D).
        theme: The colours.
    """
    figure, axes = panel(theme, 4.2, 3.4)
    centre = data.double().mean(dim=0)
    directions = torch.linalg.svd(data.double() - centre, full_matrices=False).Vh[:2].T
    for cloud, colour, name in ((data, theme.muted, "data"), (others, theme.accent, "model")):
        points = (cloud.double() - centre) @ directions
        scatter(axes, F.pad(points, (0, 2 - points.shape[1])).numpy(), colour, 0.5, name)
    keyed(axes, theme, dots=True)
    named(axes, theme, "first principal direction", "second")
    return figure


def find_axis(comparison: Comparison, places: Sequence[int]) -> str | None:
    """Returns the option to draw lines over: the only one that is a number everywhere and takes three values or more.

    Args:
        comparison: The comparison.
        places: The places of the variants.
    """
    found = []
    for path in comparison.labels:
        told = [comparison.variants[place].settings.get(path, "–") for place in places]
        if all(map(_is_number, told)) and len(set(told)) >= _FEWEST:
            found.append(path)
    return found[0] if len(found) == 1 else None


def _others(comparison: Comparison, places: Sequence[int], path: str) -> dict[str, list[int]]:
    """Returns the places of the variants that differ in one option alone, by what they have in common."""
    varied = [
        other
        for other in comparison.labels
        if other != path and len({comparison.variants[place].settings.get(other) for place in places}) > 1
    ]
    groups: dict[str, list[int]] = {}
    for place in places:
        name = ", ".join(comparison.variants[place].settings.get(other, "–") for other in varied)
        groups.setdefault(name, []).append(place)
    return groups


def _colours(count: int, theme: Theme) -> list[str]:
    return [theme.accent] if count == 1 else [CLASSES[number % len(CLASSES)] for number in range(count)]


def _mark_best(axes: Axes, column: Column, theme: Theme, *, vertical: bool) -> None:
    """Draws the best value that there is, where it is near enough to be seen with the others."""
    best = column.figure.best
    low, high = axes.get_xlim() if vertical else axes.get_ylim()
    if best is not None and low <= best <= high:
        draw = axes.axvline if vertical else axes.axhline
        draw(best, color=theme.contrast, linewidth=1, linestyle=(0, (4, 3)))


def _axis(column: Column) -> str:
    better = {"lower": " (lower is better)", "higher": " (higher is better)", "none": ""}[column.figure.better]
    return f"{column.figure.title}{better}"


def _cut(title: str) -> str:
    return title if len(title) <= 34 else f"{title[:33]}…"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
