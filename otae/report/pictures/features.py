"""Data that are no images, feature by feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..canvas import histogram, keyed, literal, named, panel, scatter
from ..theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ALIKE = 4  # times longer one extent may be than the other, for both to be drawn to one scale
_MOST = 2_000  # points


def agreement(originals: Tensor, reconstructions: Tensor, name: str, theme: Theme) -> Figure:
    """Returns one feature of the reconstructions over that of the originals; the diagonal is exact.

    Args:
        originals: The feature's values, with shape (N,).
        reconstructions: Those of the reconstructions, with shape (N,).
        name: The feature's name.
        theme: The colours.
    """
    figure, axes = panel(theme, 2.7, 2.5)
    x, y = (cloud[:_MOST].double().numpy() for cloud in (originals, reconstructions))
    ends = [min(x.min(), y.min()), max(x.max(), y.max())]
    axes.plot(ends, ends, color=theme.contrast, linewidth=1)
    scatter(axes, np.stack([x, y], axis=1), theme.accent, 0.5)
    named(axes, theme, literal(name), "reconstruction")
    return figure


def lines(original: Tensor, reconstruction: Tensor, theme: Theme) -> Figure:
    """Returns one sample and its reconstruction over the features.

    Args:
        original: The sample as a vector, with shape (D,).
        reconstruction: Its reconstruction, with shape (D,).
        theme: The colours.
    """
    figure, axes = panel(theme, 3.5, 2.1)
    features = np.arange(1, len(original) + 1)
    axes.plot(features, original.double().numpy(), color=theme.muted, linewidth=1.1, label="original")
    axes.plot(features, reconstruction.double().numpy(), color=theme.accent, linewidth=1.1, label="reconstruction")
    keyed(axes, theme)
    named(axes, theme, "feature", "value")
    return figure


def density(data: Tensor, generations: Tensor, name: str, theme: Theme) -> Figure:
    """Returns the distribution of one feature in the data and in the generations.

    Args:
        data: The feature's values in the data, with shape (N,).
        generations: Those in the generations, with shape (M,).
        name: The feature's name.
        theme: The colours.
    """
    figure, axes = panel(theme, 2.7, 2.1)
    clouds = [cloud.double().numpy() for cloud in (data, generations)]
    histogram(axes, clouds, (theme.muted, theme.accent), ("data", "generations"))
    keyed(axes, theme)
    named(axes, theme, literal(name), "density")
    return figure


def plane(data: Tensor, generations: Tensor, names: Sequence[str], theme: Theme) -> Figure:
    """Returns two-dimensional data, and generations upon them.

    Args:
        data: The samples, with shape (N, 2).
        generations: The generations, with shape (M, 2).
        names: The names of the two features.
        theme: The colours.
    """
    figure, axes = panel(theme, 4.4, 3.8)
    for cloud, colour, name in ((data, theme.muted, "data"), (generations, theme.accent, "generations")):
        scatter(axes, cloud[:_MOST].double().numpy(), colour, 0.5, name)
    extents = np.ptp(data.double().numpy(), axis=0)
    if extents.max() <= _ALIKE * extents.min():
        axes.set_aspect("equal", "datalim")
    keyed(axes, theme, dots=True)
    named(axes, theme, literal(names[0]), literal(names[1]))
    return figure


def bands(data: Tensor, generations: Tensor, theme: Theme) -> Figure:
    """Returns the median of every feature, and the band that holds four fifths, of data and generations.

    Args:
        data: The samples as vectors, with shape (N, D).
        generations: The generations, with shape (M, D).
        theme: The colours.
    """
    figure, axes = panel(theme, 7.2, 2.8)
    features = np.arange(1, data.shape[1] + 1)
    for cloud, colour, name in ((data, theme.muted, "data"), (generations, theme.accent, "generations")):
        low, middle, high = np.quantile(cloud.double().numpy(), [0.1, 0.5, 0.9], axis=0)
        axes.fill_between(features, low, high, color=colour, alpha=0.25, linewidth=0)
        axes.plot(features, middle, color=colour, linewidth=1.3, label=name)
    keyed(axes, theme)
    named(axes, theme, "feature", "value")
    return figure


def kept(originals: Tensor, reconstructions: Tensor, categories: Sequence[str], name: str, theme: Theme) -> Figure:
    """Returns the share of each category's samples whose reconstructions are of that category.

    Args:
        originals: The one-hot entries, with shape (N, K).
        reconstructions: Those of the reconstructions, with shape (N, K).
        categories: The categories' names.
        name: The feature's name.
        theme: The colours.
    """
    true, found = originals.argmax(1), reconstructions.argmax(1)
    right = [
        float((found[true == k] == k).double().mean()) if (true == k).any() else 0.0 for k in range(len(categories))
    ]
    return _bars([right], categories, [theme.accent], [None], (literal(name), "share kept"), theme)


def shares(data: Tensor, generations: Tensor, categories: Sequence[str], name: str, theme: Theme) -> Figure:
    """Returns the share of each category in the data and in the generations.

    Args:
        data: The one-hot entries of the data, with shape (N, K).
        generations: Those of the generations, with shape (M, K).
        categories: The categories' names.
        name: The feature's name.
        theme: The colours.
    """
    counts = [
        (np.bincount(cloud.argmax(1).numpy(), minlength=len(categories)) / len(cloud)).tolist()
        for cloud in (data, generations)
    ]
    return _bars(
        counts, categories, [theme.muted, theme.accent], ["data", "generations"], (literal(name), "share"), theme
    )


def _bars(
    heights: Sequence[Sequence[float]],
    categories: Sequence[str],
    colours: Sequence[str],
    labels: Sequence[str | None],
    axes_names: tuple[str, str],
    theme: Theme,
) -> Figure:
    figure, axes = panel(theme, 2.7, 2.3)
    width = 0.8 / len(heights)
    for number, (values, colour, label) in enumerate(zip(heights, colours, labels, strict=True)):
        places = np.arange(len(categories)) + (number - (len(heights) - 1) / 2) * width
        axes.bar(places, values, width, color=colour, alpha=0.85, label=label)
    names = [literal(each)[:14] for each in categories]
    axes.set_xticks(range(len(names)), names, rotation=90 if len("".join(names)) > 24 else 0)
    if any(labels):
        keyed(axes, theme)
    named(axes, theme, *axes_names)
    return figure
