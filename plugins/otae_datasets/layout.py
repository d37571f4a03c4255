"""The layout of arrays: which axis is which."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from otae.errors import DataError

from .array_file import Array

Layout: TypeAlias = Literal["auto", "channels-first", "channels-last", "none"]

_USUAL_CHANNELS = (1, 3, 4)


def arranged(array: Array, layout: Layout, path: Path) -> Array:
    """Returns a view of an array as tables (N, d) or images (N, C, H, W), or the array itself under `none`.

    Args:
        array: The array, with shape (N, d), (N, H, W), (N, C, H, W) or (N, H, W, C).
        layout: Where the channels of images with four axes stand; `auto` looks for the one axis of 1, 3 or 4 entries;
            `none` for samples that are no images, whose axes stay as they are: sequences, sets of points.
        path: The array's file, for messages.

    Raises:
        DataError: If the array has another number of axes, no sample or no value, or `auto` cannot tell the layout.
    """
    if array.ndim < 2 or (array.ndim > 4 and layout != "none"):
        cure = "Reshape it to (N, d) for tables, or (N, H, W), (N, C, H, W) or (N, H, W, C) for images"
        raise DataError(f"'{path}' holds an array of shape {array.shape}. {cure}.")
    if array.size == 0:
        raise DataError(f"'{path}' holds an array of shape {array.shape}, hence no values. Write one with samples.")
    if array.ndim == 2 or layout == "none":
        return array
    if array.ndim == 3:
        return array[:, None]
    return array.transpose(0, 3, 1, 2) if _channels_last(array, layout, path) else array


def _channels_last(array: Array, layout: Layout, path: Path) -> bool:
    if layout != "auto":
        return layout == "channels-last"
    first, last = array.shape[1] in _USUAL_CHANNELS, array.shape[3] in _USUAL_CHANNELS
    if first == last:
        cure = "Set the option layout to channels-first or channels-last"
        raise DataError(f"'{path}' holds images of shape {array.shape}, whose channels could be either end. {cure}.")
    return last
