"""The canvas: figures without global state, and their files."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..files import atomic
from .theme import CLASSES, DARK, LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Values = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    Points = Values

_PARTS = ("surface", "ink", "muted", "grid", "accent", "contrast")
_PAIRS = {getattr(LIGHT, part).encode(): getattr(DARK, part).encode() for part in _PARTS}
_SAME = {colour.encode() for colour in CLASSES}
_COLOUR = re.compile("#[0-9a-f]{6}(?![0-9a-f])")
_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True)
class Picture:
    """Creates a picture as files: one for light pages, and one for dark ones where it differs.

    Args:
        name: The file's name, without its suffix.
        caption: What it shows, in a sentence.
        suffix: The file format.
        light: The file for light pages.
        dark: The file for dark pages, or `None` where the light one serves.
    """

    name: str
    caption: str
    suffix: Literal["svg", "png"]
    light: bytes
    dark: bytes | None = None

    def save(self, folder: Path) -> None:
        """Writes the files.

        Args:
            folder: The folder.
        """
        for ending, content in (("", self.light), ("-dark", self.dark)):
            if content is not None:
                with atomic(folder / f"{self.name}{ending}.{self.suffix}") as draft:
                    draft.write_bytes(content)

    @property
    def sources(self) -> tuple[str, str | None]:
        """Returns the files as data addresses, for light and for dark pages."""
        return self._address(self.light), None if self.dark is None else self._address(self.dark)

    def _address(self, content: bytes) -> str:
        return f"data:{_TYPES[self.suffix]};base64,{base64.b64encode(content).decode('ascii')}"


def drawn(name: str, caption: str, draw: Callable[[Theme], Figure]) -> Picture:
    """Returns a picture as vectors, for light and dark pages.

    Where every colour is one of the theme's, the dark picture is the light one in other colours; where pixels or mixed
    colours stand in it, it is drawn again.

    Args:
        name: The file's name, without its suffix.
        caption: What it shows.
        draw: The function that draws it in a theme.
    """
    light = _file(draw(LIGHT), "svg")
    return Picture(name, caption, "svg", light, recolour(light) or _file(draw(DARK), "svg"))


def recolour(svg: bytes) -> bytes | None:
    """Returns a light vector graphic in the colours of dark pages, or `None` where it holds pixels or other colours.

    Args:
        svg: The graphic, drawn in the light theme.
    """
    colours = {value.encode() for value in _COLOUR.findall(svg.decode())}
    if b"<image" in svg or not colours <= _PAIRS.keys() | _SAME:
        return None
    return re.sub(_COLOUR.pattern.encode(), lambda found: _PAIRS.get(found[0], found[0]), svg)


def photographed(name: str, caption: str, figure: Figure) -> Picture:
    """Returns a picture made of pixels, the same on light and dark pages.

    Args:
        name: The file's name, without its suffix.
        caption: What it shows.
        figure: The figure.
    """
    return Picture(name, caption, "png", _file(figure, "png"))


def panel(theme: Theme, width: float = 3.6, height: float = 2.5) -> tuple[Figure, Axes]:
    """Returns a figure with one pair of axes in the house's style.

    Args:
        theme: The colours.
        width: The width in inches.
        height: The height in inches.
    """
    from matplotlib.figure import Figure  # a second that a run without a report need not wait for

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    axes.grid(color=theme.grid, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=theme.muted, labelsize=8, length=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(theme.grid)
    return figure, axes


def scatter(axes: Axes, points: Points, colour: Any, alpha: float, name: str | None = None, size: float = 8) -> None:
    """Draws points as dots, in pixels even inside a vector graphic.

    Args:
        axes: The axes.
        points: The points, with shape (N, 2).
        colour: Their colour.
        alpha: How opaque they are.
        name: What the legend calls them, if anything.
        size: The area of a dot in square points.
    """
    axes.scatter(
        points[:, 0], points[:, 1], s=size, color=colour, alpha=alpha, linewidths=0, rasterized=True, label=name
    )


def histogram(axes: Axes, clouds: Sequence[Values], colours: Sequence[str], names: Sequence[str]) -> None:
    """Draws the densities of several sets of values upon each other.

    Args:
        axes: The axes.
        clouds: The values, each with shape (N,).
        colours: Their colours.
        names: What the legend calls them.
    """
    edges = np.histogram_bin_edges(np.concatenate(clouds), 40).tolist()
    for values, colour, name in zip(clouds, colours, names, strict=True):
        axes.hist(values, edges, density=True, color=colour, alpha=0.5, label=name, histtype="stepfilled")


def named(axes: Axes, theme: Theme, x: str, y: str) -> None:
    """Names the axes.

    Args:
        axes: The axes.
        theme: The colours.
        x: The horizontal one.
        y: The vertical one.
    """
    axes.set_xlabel(x, color=theme.muted, fontsize=8.5)
    axes.set_ylabel(y, color=theme.muted, fontsize=8.5)


def keyed(axes: Axes, theme: Theme, *, dots: bool = False, place: Any = "best") -> None:
    """Adds a legend.

    Args:
        axes: The axes.
        theme: The colours.
        dots: Whether it names dots, which it then shows opaque.
        place: Where it stands.
    """
    legend = axes.legend(
        loc=place,
        fontsize=8,
        labelcolor=theme.ink,
        markerscale=2,
        framealpha=0.7,
        facecolor=theme.surface,
        edgecolor="none",
    )
    for handle in legend.legend_handles if dots else ():
        if handle is not None:
            handle.set_alpha(1)


def literal(text: str) -> str:
    """Returns text that is drawn as it is: no part of it is read as a formula.

    Args:
        text: The text.
    """
    return text.replace("\\", r"\\").replace("$", r"\$")


def halo(theme: Theme, width: float = 2.5) -> list[Any]:
    """Returns the path effects that keep text and lines legible upon points.

    Args:
        theme: The colours.
        width: The halo's width in points.
    """
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground=theme.surface)]


def _file(figure: Figure, suffix: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    file = io.BytesIO()
    if suffix == "png":
        FigureCanvasAgg(figure).print_figure(file, format="png")
    else:
        figure.set_dpi(200)  # of what is rasterized inside the vectors
        FigureCanvasSVG(figure).print_figure(file, format="svg", dpi=200, metadata={"Date": None})
    return file.getvalue()
