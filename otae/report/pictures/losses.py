"""The course of a loss over the steps of training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..canvas import keyed, named, panel
from ..theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Series = tuple[Sequence[float], Sequence[float]]

_POINTS = 400  # that a curve is thinned to


def loss(train: Series, validation: Series | None, theme: Theme) -> Figure:
    """Returns the course of a loss: faint in training, where each point is the mean of its neighbours, and in validation.

    Args:
        train: The steps and the values of training.
        validation: Those of validation, or `None`.
        theme: The colours.
    """
    figure, axes = panel(theme, 3.5, 2.1)
    steps, values = (_thinned(series) for series in train)
    faint = validation is not None
    axes.plot(
        steps, values, color=theme.accent, alpha=0.4 if faint else 1, linewidth=0.9 if faint else 1.2, label="training"
    )
    shown = values
    if validation is not None:
        axes.plot(*validation, color=theme.accent, linewidth=1.7, label="validation", solid_capstyle="round")
        shown = np.concatenate([values, np.asarray(validation[1])])
        keyed(axes, theme)
    low, high = np.quantile(shown, [0.02, 0.98])  # one odd step shall not decide
    if shown.min() > 0 and high > 30 * low:
        _logarithmic(axes)
    axes.margins(x=0.02)
    axes.locator_params(axis="x", nbins=5)
    named(axes, theme, "step", "")
    return figure


def _logarithmic(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    few = (1,) if high > 100 * low else (1, 2, 5)
    axes.yaxis.set_major_locator(LogLocator(subs=few, numticks=5))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")


def _thinned(series: Sequence[float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    parts = np.array_split(np.asarray(series, dtype=float), min(len(series), _POINTS))
    return np.array([part.mean() for part in parts])
