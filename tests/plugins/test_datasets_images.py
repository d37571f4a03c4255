"""Folders of pictures: what is read from them, and every spoilt file that is refused by name."""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from otae.errors import ConfigError, DataError
from otae.testing import DatasetSuite
from otae_datasets import Images, memory_limit, pictures
from otae_datasets.picture_preparation import PicturePreparation

RANDOM = np.random.default_rng(0)


def picture(path: Path, height: int = 8, width: int = 8, mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (height, width, 3) if mode == "RGB" else (height, width)
    Image.fromarray(RANDOM.integers(0, 256, shape, dtype=np.uint8)).save(path)
    return path


class TestImages(DatasetSuite):
    plugin = Images

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("cat/1.png", "cat/2.jpg", "dog/1.bmp", "dog/deep/2.webp"):
            picture(tmp_path / name)
        monkeypatch.setattr(type(self), "options", {"path": str(tmp_path), "size": [10, 6]})


@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("L", 1)])
@pytest.mark.parametrize("stored", ["RGB", "L"])
def test_pictures_keep_their_pixels(tmp_path, stored, mode, channels) -> None:
    path = picture(tmp_path / "x.png", 9, 12, stored)
    dataset = Images(tmp_path, mode=mode)
    assert dataset.data_shape == (channels, 9, 12)
    pixels = np.asarray(Image.open(path).convert(mode)).reshape(9, 12, channels).transpose(2, 0, 1)
    torch.testing.assert_close(dataset[0], torch.tensor(pixels / 255, dtype=torch.float32))


@pytest.mark.parametrize(("size", "shape"), [(4, (3, 4, 4)), ((6, 3), (3, 6, 3))])
def test_pictures_of_different_sizes_are_brought_to_one(tmp_path, size, shape) -> None:
    for name, height, width in [("a.png", 8, 8), ("b.jpg", 20, 9), ("c.png", 3, 30)]:
        picture(tmp_path / name, height, width)
    dataset = Images(tmp_path, size=size)
    assert dataset.data_shape == shape
    assert {tuple(sample.shape) for sample in dataset} == {shape}


def test_a_picture_is_cropped_about_its_centre(tmp_path) -> None:
    pixels = np.zeros((4, 12), dtype=np.uint8)
    pixels[:, 4:8] = 255
    Image.fromarray(pixels).save(tmp_path / "x.png")
    assert Images(tmp_path, size=4, mode="L")[0].min() == 1


def test_pictures_of_different_sizes_are_refused_without_a_size(tmp_path) -> None:
    picture(tmp_path / "a.png", 8, 8)
    picture(tmp_path / "b.png", 8, 9)
    with pytest.raises(DataError, match=r"'.*a\.png' has 8×8 pixels, '.*b\.png' 8×9.*Set the option size"):
        Images(tmp_path)


@pytest.mark.parametrize(
    ("names", "classes", "labels"),
    [
        (["b/1.png", "a/2.png", "a/deep/1.png"], ("a", "b"), [0, 0, 1]),
        (["b/1.png", "a/2.png", "1.png"], None, None),
        (["a/1.png", "a/2.png"], None, None),
        (["2.png", "1.png"], None, None),
    ],
    ids=["subfolders", "some outside", "one subfolder", "no subfolder"],
)
def test_several_subfolders_are_classes(tmp_path, names, classes, labels) -> None:
    for name in names:
        picture(tmp_path / name)
    picture(tmp_path / ".hidden" / "x.png", 30, 30)
    (tmp_path / "._x.png").write_bytes(b"a file that other systems leave behind")
    dataset = Images(tmp_path)
    assert (len(dataset), dataset.files) == (len(names), sorted(names))
    assert dataset.class_names == classes
    assert (None if dataset.labels is None else dataset.labels.tolist()) == labels


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("lost", [1, 0.5, 0.95], ids=["one byte", "half", "nearly all"])
def test_a_picture_that_ends_too_early_is_refused_before_training(tmp_path, suffix, lost) -> None:
    path = picture(tmp_path / f"x.{suffix}", 64, 64)
    content = path.read_bytes()
    path.write_bytes(content[: -int(lost * len(content)) if isinstance(lost, float) else -400])
    with pytest.raises(DataError, match=rf"x\.{suffix}' cannot be read as a picture: .*Replace the file, or remove it"):
        Images(tmp_path)


def test_damage_inside_a_picture_is_named_when_it_is_read(tmp_path) -> None:
    path = picture(tmp_path / "x.png", 64, 64)
    content = bytearray(path.read_bytes())
    content[200:4000] = bytes(3800)
    path.write_bytes(content)
    dataset = Images(tmp_path)
    with pytest.raises(DataError, match=r"x\.png' cannot be read as a picture"):
        dataset[0]


def test_a_picture_with_bytes_after_its_end_is_sound(tmp_path) -> None:
    path = picture(tmp_path / "x.jpg")
    path.write_bytes(path.read_bytes() + b"appended by a camera")
    assert len(Images(tmp_path)) == 1


@pytest.mark.parametrize(("name", "content"), [("x.png", b""), ("x.jpg", b"<html>404</html>")])
def test_a_file_that_is_no_picture_is_refused(tmp_path, name, content) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}' cannot be read as a picture"):
        Images(tmp_path)


def test_a_picture_of_16_bits_is_refused_rather_than_clipped(tmp_path) -> None:
    Image.fromarray(np.full((8, 8), 40000, dtype=np.uint16)).save(tmp_path / "x.png")
    with pytest.raises(DataError, match=r"x\.png' has more than 8 bits a channel.*dataset `arrays`"):
        Images(tmp_path)


def test_a_palette_with_transparency_is_read_without_a_warning(tmp_path) -> None:
    palette = Image.fromarray(RANDOM.integers(0, 256, (4, 5, 3), dtype=np.uint8)).quantize(8)
    palette.save(tmp_path / "x.png", transparency=bytes([0, 128, 255]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Images(tmp_path)[0].shape == (3, 4, 5)


def test_a_folder_without_pictures_is_refused(tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(DataError, match=r"holds no picture. Put files there that end in .*\.png"):
        Images(tmp_path)


def sixteen_bits(path: Path, kind: int) -> None:
    """Writes a PNG of 16 bits a channel byte by byte, since Pillow writes none in colour."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[kind]
    rows = b"".join(b"\0" + b"\x01\x02" * (4 * channels) for _ in range(4))

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, kind, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


@pytest.mark.parametrize("kind", [0, 2, 4, 6], ids=["grey", "colour", "grey and alpha", "colour and alpha"])
def test_sixteen_bits_are_refused_by_the_files_own_header(tmp_path, kind) -> None:
    sixteen_bits(tmp_path / "x.png", kind)
    with pytest.raises(DataError, match=r"x\.png' has more than 8 bits a channel, 16 of them.*the dataset `arrays`"):
        Images(tmp_path)


def test_a_portable_pixmap_of_sixteen_bits_is_refused(tmp_path) -> None:
    (tmp_path / "x.ppm").write_bytes(b"P6\n# a comment\n2 2\n4095\n" + b"\x01\x02" * 12)
    with pytest.raises(DataError, match="more than 8 bits a channel"):
        Images(tmp_path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright_as_their_tag_says(tmp_path, orientation) -> None:
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    image, tags = Image.fromarray(pixels), Image.Exif()
    tags[274] = orientation
    image.save(tmp_path / "x.png", exif=tags)
    turned = {1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1], 5: pixels.transpose(1, 0, 2)}
    turned |= {6: np.rot90(pixels, -1), 7: pixels[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(pixels)}
    dataset = Images(tmp_path)
    assert dataset.data_shape[1:] == turned[orientation].shape[:2]
    np.testing.assert_allclose(dataset[0].numpy() * 255, turned[orientation].transpose(2, 0, 1), atol=1e-4)


@pytest.mark.parametrize("suffix", ["tif", "gif", "webp"])
def test_each_page_is_a_sample_where_asked_for(tmp_path: Path, suffix: str) -> None:
    shades = (0, 100, 200)
    stack = [Image.fromarray(np.full((4, 4), shade, np.uint8)) for shade in shades]
    options = {"lossless": True} if suffix == "webp" else {}
    stack[0].save(tmp_path / f"b.{suffix}", save_all=True, append_images=stack[1:], **options)
    Image.fromarray(np.full((4, 4), 50, np.uint8)).save(tmp_path / "a.png")
    data = Images(tmp_path, mode="L", pages="all")
    assert data.files == ["a.png", *(f"b.{suffix} page {page}" for page in (1, 2, 3))]
    torch.testing.assert_close(data.__getitems__(range(4))[:, 0, 0, 0] * 255, torch.tensor([50.0, *shades]))
    kept = PicturePreparation.from_dict(data.preparation.to_dict())
    torch.testing.assert_close(kept.read(tmp_path), data.__getitems__(range(4)))
    assert kept.list_files(tmp_path / f"b.{suffix}") == data.files[1:]


def test_pages_of_different_sizes_are_told(tmp_path: Path) -> None:
    stack = [Image.fromarray(np.zeros((side, 4), np.uint8)) for side in (4, 5)]
    stack[0].save(tmp_path / "x.tif", save_all=True, append_images=stack[1:])
    with pytest.raises(DataError, match=r"differ in size.*has 4×4 pixels.*5×4"):
        Images(tmp_path, pages="all")
    assert Images(tmp_path, pages="all", size=4).data_shape == (3, 4, 4)


@pytest.mark.parametrize("suffix", ["tiff", "gif"])
def test_several_pages_are_refused(tmp_path, suffix) -> None:
    pages = [Image.fromarray(np.full((4, 4), shade, np.uint8)) for shade in (0, 200)]
    pages[0].save(tmp_path / f"x.{suffix}", save_all=True, append_images=pages[1:])
    with pytest.raises(DataError, match=r"holds 2 pages or frames\. Write each .* own, or set the option pages: all"):
        Images(tmp_path)


def test_a_mixed_folder_says_what_it_left_out(tmp_path) -> None:
    picture(tmp_path / "1.png")
    for name in ("notes.txt", "deep/scan.raw", ".hidden.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no picture")
    with pytest.warns(UserWarning, match=r"1 pictures are taken, and 2 files left out.*: deep/scan\.raw, notes\.txt\."):
        assert len(Images(tmp_path)) == 1


@pytest.mark.parametrize(("background", "shade"), [("white", 1.0), ("black", 0.0), ("#3399ff", None)])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_composed_on_the_background(tmp_path, background, shade, mode) -> None:
    pixels = RANDOM.integers(0, 256, (4, 5, len(mode)), dtype=np.uint8)
    pixels[:2, :, -1] = 0
    pixels[2:, :, -1] = 255
    Image.fromarray(pixels, mode).save(tmp_path / "x.png")
    sample = Images(tmp_path, background=background)[0].numpy().transpose(1, 2, 0)
    above = np.array([0x33, 0x99, 0xFF]) / 255 if shade is None else shade
    np.testing.assert_allclose(sample[:2], np.broadcast_to(above, (2, 5, 3)), atol=1e-6)
    np.testing.assert_allclose(sample[2:], pixels[2:, :, :-1] / np.full(3, 255.0), atol=1e-6)


def test_half_transparency_is_half_of_each(tmp_path) -> None:
    Image.fromarray(np.full((2, 2, 4), (200, 100, 0, 128), np.uint8)).save(tmp_path / "x.png")
    right = (np.array([200, 100, 0]) * 128 / 255 + 255 * 127 / 255) / 255
    np.testing.assert_allclose(Images(tmp_path)[0][:, 0, 0], right, atol=1 / 255)


def test_a_background_that_is_no_colour_is_refused(tmp_path) -> None:
    picture(tmp_path / "1.png")
    with pytest.raises(ConfigError, match="background: 'wite' is no colour"):
        Images(tmp_path, background="wite")


@pytest.mark.parametrize(("flags", "depth"), [(0x0C, 8), (0x4C, 10), (0x6C, 12)])
def test_the_depth_of_an_avif_is_that_of_its_own_header(tmp_path, flags, depth) -> None:
    path = picture(tmp_path / "x.avif", 16, 16)
    content = bytearray(path.read_bytes())
    content[content.index(b"av1C") + 6] = flags
    with Image.open(path) as image:
        image.fp.close()
        image.fp = BytesIO(content)
        assert pictures._read_depth(image) == depth


def test_a_picture_beyond_the_memory_is_refused_before_it_is_read(tmp_path, monkeypatch) -> None:
    picture(tmp_path / "x.png", 8, 8)
    monkeypatch.setattr(pictures, "_LARGE", 32)
    monkeypatch.setattr(memory_limit, "find_free_memory", lambda: 100)
    with pytest.raises(DataError, match=r"x\.png', 8×8 pixels, takes .* of memory, where .* are free"):
        Images(tmp_path)
