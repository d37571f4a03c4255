"""Data that are no images, feature by feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..canvas import histogram, keyed, named, panel, scatter
from ..theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 2_000  # points


def agreement(originals: Tensor, reconstructions: Tensor, feature: int, theme: Theme) -> Figure:
    """Returns one feature of the reconstructions over that of the originals; the diagonal is exact.

    Args:
        originals: The samples as vectors, with shape (N, D).
        reconstructions: Their reconstructions, with shape (N, D).
        feature: The feature's number.
        theme: The colours.
    """
    figure, axes = panel(theme, 2.7, 2.5)
    x, y = (cloud[:_MOST, feature].double().numpy() for cloud in (originals, reconstructions))
    ends = [min(x.min(), y.min()), max(x.max(), y.max())]
    axes.plot(ends, ends, color=theme.contrast, linewidth=1)
    scatter(axes, np.stack([x, y], axis=1), theme.accent, 0.5)
    named(axes, theme, f"feature {feature + 1}, original", "reconstruction")
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


def density(data: Tensor, generations: Tensor, feature: int, theme: Theme) -> Figure:
    """Returns the distribution of one feature in the data and in the generations.

    Args:
        data: The samples as vectors, with shape (N, D).
        generations: The generations, with shape (M, D).
        feature: The feature's number.
        theme: The colours.
    """
    figure, axes = panel(theme, 2.7, 2.1)
    clouds = [cloud[:, feature].double().numpy() for cloud in (data, generations)]
    histogram(axes, clouds, (theme.muted, theme.accent), ("data", "generations"))
    keyed(axes, theme)
    named(axes, theme, f"feature {feature + 1}", "density")
    return figure


def plane(data: Tensor, generations: Tensor, theme: Theme) -> Figure:
    """Returns two-dimensional data, and generations upon them.

    Args:
        data: The samples, with shape (N, 2).
        generations: The generations, with shape (M, 2).
        theme: The colours.
    """
    figure, axes = panel(theme, 4.4, 3.8)
    for cloud, colour, name in ((data, theme.muted, "data"), (generations, theme.accent, "generations")):
        scatter(axes, cloud[:_MOST].double().numpy(), colour, 0.5, name)
    axes.set_aspect("equal", "datalim")
    keyed(axes, theme, dots=True)
    named(axes, theme, "feature 1", "feature 2")
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
