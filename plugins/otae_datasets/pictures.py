"""Pictures of a folder: finding them, checking them, reading them."""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
import torch
from PIL import ExifTags, Image, ImageColor, ImageOps
from pydantic import Field
from torch import Tensor

from otae.errors import ConfigError, DataError

from .memory_limit import require_memory

Mode: TypeAlias = Literal["RGB", "L"]
Side: TypeAlias = Annotated[int, Field(gt=0, le=16_384)]
Size: TypeAlias = tuple[int, int]
Pages: TypeAlias = Literal["refuse", "all"]

SUFFIXES = (
    *(".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm"),
    *(".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
)
_LARGE = 2**24  # pixels above which a picture may be more than the memory holds
_HEADER = 4096  # bytes that hold what tells the depth
_SIDEWAYS = range(5, 9)  # orientations that exchange height and width

WHITE = "white"

_ENDINGS: Mapping[str | None, bytes] = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)


def picture_files(folder: Path) -> list[Path]:
    """Returns the pictures of a folder and its subfolders, in the order of their relative paths, hidden ones left out.

    Files that are no pictures by their suffix are left out, and a warning says so.

    Args:
        folder: The folder.

    Raises:
        DataError: If there is none.
    """
    paths = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    shown = [path for path in paths if not any(part.startswith(".") for part in path.split("/"))]
    kept = [path for path in shown if Path(path).suffix.lower() in SUFFIXES]
    if not kept:
        raise DataError(f"The folder '{folder}' holds no picture. Put files there that end in {', '.join(SUFFIXES)}.")
    if left := [path for path in shown if Path(path).suffix.lower() not in SUFFIXES]:
        told = ", ".join(left[:3]) + (", …" if len(left) > 3 else "")
        warnings.warn(
            f"Of the folder '{folder}' {len(kept)} pictures are taken, and {len(left)} files left out, whose suffix is that "
            f"of no picture: {told}.",
            stacklevel=3,
        )
    return [folder / path for path in kept]


def page_sizes(file: Path, pages: Pages = "refuse") -> list[Size]:
    """Returns the height and width of each page of a picture, upright, from its header; one that ends too early is refused.

    Args:
        file: The picture.
        pages: Whether a file of several pages or frames is refused, or all are read.

    Raises:
        DataError: If the picture is damaged, has more than 8 bits a channel, or several pages that are refused.
    """
    with _opened(file, str(file)) as image:
        count = int(getattr(image, "n_frames", 1))
        if count > 1 and pages == "refuse":
            raise DataError(
                f"'{file}' holds {count} pages or frames. Write each into a file of its own, or set the option pages: all."
            )
        sizes = [_page_size(image, page, str(file)) for page in range(count)]
        if not _ends_well(file, image.format):
            image.load()  # the costly proof, only where the cheap one fails: some sound files bear trailing bytes
        return sizes


def _page_size(image: Image.Image, page: int, name: str) -> Size:
    _turn_to(image, page, name)
    sideways = _find_orientation(image) in _SIDEWAYS
    return (image.width, image.height) if sideways else (image.height, image.width)


def _turn_to(image: Image.Image, page: int, name: str) -> None:
    """Moves to a page of an open picture, and checks it."""
    if page:
        image.seek(page)
    _check_depth(image, name)
    if image.width * image.height > _LARGE:
        require_memory(16 * image.width * image.height, f"'{name}', {image.height}×{image.width} pixels,")


def check_colour(colour: str) -> str:
    """Returns a colour, checked.

    Args:
        colour: Its name, such as `white`, or `#rrggbb`.

    Raises:
        ConfigError: If there is no such colour.
    """
    try:
        ImageColor.getrgb(colour)
    except ValueError as error:
        raise ConfigError(f"background: {colour!r} is no colour. Give a name, such as white, or '#rrggbb'.") from error
    return colour


def read_picture(
    file: Path, size: Size | None, mode: Mode, crop: int | None = None, *, background: str = WHITE, page: int = 0
) -> Tensor:
    """Returns a picture, with shape (C, H, W) and values in [0, 1].

    Args:
        file: The picture.
        size: The height and width to crop, about the centre, and resize to; `None` keeps the picture's.
        mode: `RGB` for three channels, `L` for one, grey.
        crop: The side of the square, about the centre, that is cut out first; `None` for the whole picture.
        background: The colour that a transparent picture is composed on.
        page: The page of a file of several, counted from 0.

    Raises:
        DataError: If the picture is damaged, or smaller than the crop.
    """
    return picture_tensor(file, size, mode, str(file), crop, background, page)


def picture_tensor(
    source: Path | BytesIO,
    size: Size | None,
    mode: Mode,
    name: str,
    crop: int | None = None,
    background: str = WHITE,
    page: int = 0,
) -> Tensor:
    """Returns a picture from a file or from memory, with shape (C, H, W) and values in [0, 1].

    Args:
        source: The file, or its bytes.
        size: The height and width to crop, about the centre, and resize to; `None` keeps the picture's.
        mode: `RGB` for three channels, `L` for one, grey.
        name: What messages call it.
        crop: The side of the square, about the centre, that is cut out first; `None` for the whole picture.
        background: The colour that a transparent picture is composed on.
        page: The page of a file of several, counted from 0.

    Raises:
        DataError: If the picture is damaged, has more than 8 bits a channel, or is smaller than the crop.
    """
    with _opened(source, name) as image:
        _turn_to(image, page, name)
        upright = ImageOps.exif_transpose(image) if _find_orientation(image) > 1 else image
        picture = _compose(upright, background).convert(mode)
    if crop is not None:
        picture = _cropped(picture, crop, name)
    if size is not None:
        picture = ImageOps.fit(picture, (size[1], size[0]), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(picture))
    planes = pixels.unsqueeze(0) if mode == "L" else pixels.permute(2, 0, 1).contiguous()  # (C, H, W)
    return planes.to(torch.float32).div_(255)


def _check_depth(image: Image.Image, name: str) -> None:
    bits = 16 if image.mode.startswith(("I", "F")) else _read_depth(image)
    if bits > 8:
        cure = "Convert it to 8 bits, or write all as a NumPy file and use the dataset `arrays`"
        raise DataError(f"'{name}' has more than 8 bits a channel, {bits} of them in mode {image.mode}. {cure}.")


def _find_orientation(image: Image.Image) -> int:
    """Returns the orientation tag, 1 where there is none; of PNG only one before the pixels, which are not read for it."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    tag: Any = image.getexif().get(ExifTags.Base.Orientation, 1)
    return tag if isinstance(tag, int) and 1 <= tag <= 8 else 1


def _read_depth(image: Image.Image) -> int:
    """Returns the bits of a channel by the file's own header: Pillow's mode tells 8 for colour of 16, whose half it drops."""
    file: Any = image  # what a file's own class has beyond a picture in memory
    if image.format == "TIFF":
        return int(max(file.tag_v2.get(258, (8,))))
    if image.format not in ("PNG", "PPM", "AVIF"):
        return 8
    place = file.fp.tell()
    file.fp.seek(0)
    start: bytes = file.fp.read(_HEADER)
    file.fp.seek(place)
    if image.format == "AVIF":
        found = start.find(b"av1C")  # the configuration of the codec: version, profile, then the bits of depth
        flags = start[found + 6] if 0 <= found < len(start) - 6 else 0
        return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    if image.format == "PNG":
        return start[24]  # behind the signature, the length and name of the first chunk, and two sides
    largest = re.match(rb"P[2356]\s+(?:#.*\s+)*\d+\s+(?:#.*\s+)*\d+\s+(?:#.*\s+)*(\d+)", start)
    return 8 if largest is None or int(largest[1]) < 256 else 16


def _compose(image: Image.Image, background: str) -> Image.Image:
    """Returns an image without transparency: itself where it has none."""
    if not image.has_transparency_data:
        return image
    whole = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", whole.size, background), whole)


def _cropped(picture: Image.Image, side: int, name: str) -> Image.Image:
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    if min(left, top) < 0:
        told = f"{picture.height}×{picture.width} pixels (height×width)"
        raise DataError(f"'{name}' has {told}, fewer than the crop of {side}. Set the option crop to fewer, or null.")
    return picture.crop((left, top, left + side, top + side))


def _ends_well(file: Path, kind: str | None) -> bool:
    ending = _ENDINGS.get(kind, b"")
    with file.open("rb") as stream:
        stream.seek(-len(ending), SEEK_END)
        return stream.read() == ending


@contextmanager
def _opened(source: Path | BytesIO, name: str) -> Iterator[Image.Image]:
    try:
        with Image.open(source) as image:
            yield image
    except DataError:
        raise
    except _DAMAGE as error:
        reason = str(error).rstrip(".")
        raise DataError(f"'{name}' cannot be read as a picture: {reason}. Replace the file, or remove it.") from error
