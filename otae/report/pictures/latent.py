"""The latent space: codes and draws from the prior, in the plane or on a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..canvas import histogram, keyed, literal, named, panel, scatter
from ..theme import CLASSES, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Points = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_MOST = 2_500  # points of one kind
_NAMED = 16  # classes that are named beside the picture, all of them
_LONGEST = 24  # letters of a name


def codes(
    z: Tensor, draws: Tensor, labels: Tensor | None, theme: Theme, class_names: Sequence[str] | None = None
) -> Figure:
    """Returns the codes by label, before draws from the prior.

    Two latent dimensions are shown as they are, more in the two principal directions of the codes.

    Args:
        z: The codes, with shape (N, latent_dim).
        draws: Draws from the prior, with shape (M, latent_dim).
        labels: One class per code, with shape (N,), or `None`.
        theme: The colours.
        class_names: A name for each class, or `None`.
    """
    figure, axes, points, others = _plane(z, draws, theme)
    scatter(axes, others, theme.muted, 0.25, "prior")
    if labels is None:
        scatter(axes, points, theme.accent, 0.75, "codes")
        keyed(axes, theme, dots=True, place="upper right")
    else:
        _classes(axes, points, labels[:_MOST].numpy(), class_names)
        _legend(figure, theme)
    return figure


def prior(z: Tensor, draws: Tensor, theme: Theme) -> Figure:
    """Returns draws from the prior, before the codes.

    Args:
        z: The codes, with shape (N, latent_dim).
        draws: Draws from the prior, with shape (M, latent_dim).
        theme: The colours.
    """
    figure, axes, points, others = _plane(z, draws, theme)
    scatter(axes, points, theme.muted, 0.25, "codes")
    scatter(axes, others, theme.accent, 0.5, "prior")
    keyed(axes, theme, dots=True, place="upper right")
    return figure


def line(z: Tensor, draws: Tensor, theme: Theme) -> Figure:
    """Returns the distributions of codes and of draws from the prior, of one latent dimension.

    Args:
        z: The codes, with shape (N, 1).
        draws: Draws from the prior, with shape (M, 1).
        theme: The colours.
    """
    figure, axes = panel(theme, 4.2, 3.4)
    clouds = [cloud[:, 0].double().numpy() for cloud in (draws, z)]
    histogram(axes, clouds, (theme.muted, theme.accent), ("prior", "codes"))
    keyed(axes, theme)
    named(axes, theme, "code", "density")
    return figure


def _plane(z: Tensor, draws: Tensor, theme: Theme) -> tuple[Figure, Axes, Points, Points]:
    figure, axes = panel(theme, 4.2, 3.6)
    points, others, names = _projected(z[:_MOST].double().numpy(), draws[:_MOST].double().numpy())
    named(axes, theme, *names)
    low, high = np.quantile(others, [0.01, 0.99], axis=0)  # all codes are in view, and all but the farthest draws
    low, high = np.minimum(low, points.min(0)), np.maximum(high, points.max(0))
    margin = 0.06 * (high - low) + 1e-6
    axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
    axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
    return figure, axes, points, others


def _projected(z: Points, draws: Points) -> tuple[Points, Points, tuple[str, str]]:
    if z.shape[1] == 2:
        return z, draws, ("code, 1st entry", "code, 2nd entry")
    centre = z.mean(0)
    spreads, directions = np.linalg.eigh((z - centre).T @ (z - centre))
    plane, shares = directions[:, :-3:-1], spreads[:-3:-1] / max(spreads.sum(), 1e-300)
    first, second = (
        f"{word} principal direction ({share:.0%})" for word, share in zip(("1st", "2nd"), shares, strict=True)
    )
    return (z - centre) @ plane, (draws - centre) @ plane, (first, second)


def _classes(axes: Axes, points: Points, labels: Points, names: Sequence[str] | None) -> None:
    from matplotlib import colormaps

    present = np.unique(labels)
    many = len(present) > len(CLASSES)
    for number, label in enumerate(present):
        colour = colormaps["viridis"](number / (len(present) - 1)) if many else CLASSES[number]
        name = literal(str(label) if names is None else names[int(label)])[:_LONGEST]
        shown = len(present) <= _NAMED or number in (0, len(present) - 1)
        scatter(axes, points[labels == label], colour, 0.85, name if shown else None, size=12)


def _legend(figure: Figure, theme: Theme) -> None:
    legend = figure.legend(
        loc="outside right upper", fontsize=8, labelcolor=theme.ink, markerscale=1.6, framealpha=0, handletextpad=0.2
    )
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
