"""Samples that are images, side by side in one picture, pixel by pixel."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO
from math import ceil, sqrt
from typing import IO

import torch
from PIL import Image
from torch import Tensor

from ..errors import ConfigError

SUFFIXES = (".png", ".svg", ".pdf")
_LEGIBLE = 256  # pixels that the shorter side of a picture has at least


@dataclass(frozen=True)
class Look:
    """Holds how a picture looks.

    Args:
        scale: The side of the square that a pixel of the data becomes; such that the picture is legible where `None`.
        gap: The pixels between two images; as many as the scale where images are enlarged, else none, where `None`.
    """

    scale: int | None = 1
    gap: int | None = 0


def draw_mosaic(values: Tensor, columns: int | None, value_range: tuple[float, float], look: Look) -> Image.Image:
    """Returns a picture of images, row by row.

    Args:
        values: The images, with shape (N, 1, H, W) or (N, 3, H, W).
        columns: The number of images in a row; such that the picture is about a square where `None`.
        value_range: The values shown as black and white; others are clipped.
        look: How it looks.

    Raises:
        ConfigError: If the samples are no images.
    """
    if values.ndim != 4 or values.shape[1] not in (1, 3):
        raise ConfigError(f"Samples of shape {tuple(values.shape[1:])} are no images: write them to a .npy file.")
    count, channels, height, width = values.shape
    columns = columns or choose_columns(count)
    rows, (low, high) = -(-count // columns), value_range
    scale = look.scale or max(1, -(-_LEGIBLE // min(rows * height, columns * width)))
    gap = (scale if scale > 1 else 0) if look.gap is None else look.gap
    shown = (((values - low) / (high - low)).clamp(0, 1) * 255).round().to(torch.uint8)
    tiles = shown.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    board = tiles.new_full((rows * columns, channels, scale * height + gap, scale * width + gap), 255 if gap else 0)
    board[:count, :, : scale * height, : scale * width] = tiles
    grid = board.reshape(rows, columns, channels, *board.shape[2:]).permute(
        0, 3, 1, 4, 2
    )  # rows, height, columns, width
    pixels = grid.reshape(rows * board.shape[2], columns * board.shape[3], channels).numpy()
    pixels = pixels[: len(pixels) - gap, : pixels.shape[1] - gap]
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)


def choose_columns(count: int, pairs: bool = False) -> int:
    """Returns the number of images in a row of a picture that is about a square.

    Args:
        count: The number of images.
        pairs: Whether each row has another one below it.
    """
    return min(count, ceil(sqrt(2 * count if pairs else count)))


def interleave(originals: Tensor, copies: Tensor, columns: int) -> Tensor:
    """Returns rows of originals, each over the row of their reconstructions.

    Args:
        originals: The images, with shape (N, C, H, W).
        copies: Their reconstructions, with shape (N, C, H, W).
        columns: The number of images in a row.
    """
    if len(originals) <= columns:
        return torch.cat([originals, copies])
    pairs = zip(torch.split(originals, columns), torch.split(copies, columns), strict=True)
    rows = [part for pair in pairs for part in pair]
    lacking = columns - len(rows[-1])
    if lacking:  # the last row of originals is filled, so that their reconstructions lie under them
        rows[-2] = torch.cat([rows[-2], rows[-2].new_full((lacking, *rows[-2].shape[1:]), float(originals.max()))])
    return torch.cat(rows)


def save_picture(picture: Image.Image, file: IO[bytes], suffix: str) -> None:
    """Writes a picture; in SVG and PDF its pixels stay sharp squares.

    Args:
        picture: The picture.
        file: The file, open for bytes.
        suffix: `.png`, `.svg` or `.pdf`.
    """
    if suffix != ".svg":
        picture.save(file, format=suffix.removeprefix("."))
        return
    content = BytesIO()
    picture.save(content, format="png")
    data = base64.b64encode(content.getvalue()).decode("ascii")
    width, height = picture.size
    file.write(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
        "</svg>\n".encode()
    )
