"""Images side by side, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..canvas import literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    Pixels = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_WIDTH = 1_120  # pixels: twice what a page gives a picture
_LARGEST = 256  # pixels of one image
_MARGIN = 84  # pixels for the label of a row


def pairs(originals: Tensor, reconstructions: Tensor, value_range: tuple[float, float], columns: int) -> Figure:
    """Returns a mosaic of pairs, each reconstruction under its original.

    Args:
        originals: The images, with shape (N, C, H, W).
        reconstructions: Their reconstructions, with shape (N, C, H, W).
        value_range: The values shown as black and white; others are clipped.
        columns: The number of pairs in a row.
    """
    upper, lower = (_tiles(images, value_range, columns) for images in (originals, reconstructions))
    seam = np.zeros_like(upper[:, :2])
    return _mosaic(np.concatenate([upper, seam, lower], axis=1), columns)


def images(samples: Tensor, value_range: tuple[float, float], columns: int) -> Figure:
    """Returns a mosaic of images.

    Args:
        samples: The images, with shape (N, C, H, W).
        value_range: The values shown as black and white; others are clipped.
        columns: The number of images in a row.
    """
    return _mosaic(_tiles(samples, value_range, columns), columns)


def rows(samples: Sequence[Tensor], value_range: tuple[float, float], labels: Sequence[str]) -> Figure:
    """Returns rows of images, each with a label before it.

    Args:
        samples: The images of each row, with shape (N, C, H, W), equally many in each.
        value_range: The values shown as black and white; others are clipped.
        labels: A short label for each row.
    """
    columns = len(samples[0])
    figure = _mosaic(_tiles(torch.cat(list(samples)), value_range, columns), columns, margin=_MARGIN)
    height = figure.get_size_inches()[1] * figure.dpi
    for number, label in enumerate(labels):
        middle = 1 - (number + 0.5) * (1 / len(labels))
        figure.text(
            _MARGIN * 0.5, middle * height, literal(label), ha="center", va="center", fontsize=13, color="#7d8794",
            transform=None,
        )  # fmt: skip
    return figure


def _tiles(samples: Tensor, value_range: tuple[float, float], columns: int) -> Pixels:
    step = max(1, max(samples.shape[2:]) // _LARGEST)
    low, high = value_range
    values = ((samples.double() - low) / max(high - low, 1e-12)).clamp(0, 1)[:, :3, ::step, ::step]
    pixels = values.permute(0, 2, 3, 1).numpy()  # (N, H, W, C)
    colours = pixels[..., [0, 0, 0]] if pixels.shape[3] < 3 else pixels
    opaque = np.concatenate([colours, np.ones_like(colours[..., :1])], axis=3)
    factor = max(1, round(_WIDTH / columns / pixels.shape[2]))
    return opaque.repeat(factor, axis=1).repeat(factor, axis=2)


def _mosaic(tiles: Pixels, columns: int, margin: int = 0) -> Figure:
    from matplotlib.figure import Figure

    gap = max(4, tiles.shape[2] // 10)
    rows = -(-len(tiles) // columns)
    height, width = tiles.shape[1] + gap, tiles.shape[2] + gap
    board = np.zeros((rows * height - gap, margin + columns * width - gap, 4))  # transparent where nothing lies
    for number, tile in enumerate(tiles):
        top, left = number // columns * height, margin + number % columns * width
        board[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    figure = Figure(dpi=100)
    figure.patch.set_alpha(0)
    figure.figimage(board, resize=True, origin="upper")
    return figure
