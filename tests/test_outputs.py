"""What leaves the command line: pictures at a legible size, and what is known of each sample beside its code."""

from __future__ import annotations

import base64
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import otae
from otae.cli.app import app
from otae.cli.mosaics import Look, draw_mosaic, interleave
from otae.evaluation import Specimens

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with a run on pictures in two subfolders."""
    home = tmp_path_factory.mktemp("outputs")
    for number in range(12):
        path = home / "pictures" / "ab"[number % 2] / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RANDOM.integers(0, 256, (6, 5), dtype=np.uint8)).save(path)
    model = {"latent_dim": 2, "encoder": "linear", "decoder": "linear", "prior": "gaussian"}
    fit = {"cost": "paired", "source": "data", "target": "reconstruction"}
    data = {"name": "images", "path": str(home / "pictures"), "mode": "L", "validation": 0.25, "test": 0.25}
    values = {"data": data, "model": model, "objective": {"fit": fit}, "training": {"epochs": 1}}
    otae.train(otae.load_config(values), home / "run", evaluation=False, report=False)
    return home


@pytest.fixture(autouse=True)
def _home(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(*arguments: str | Path, status: int = 0) -> str:
    """Returns what a command prints, on one line."""
    result = CliRunner().invoke(app, list(map(str, arguments)))
    told = " ".join(result.output.split())
    assert result.exit_code == status, told
    return told


def test_codes_leave_with_label_split_and_file(folder: Path) -> None:
    call("encode", folder / "run", "-o", "c.npz")
    call("encode", folder / "run", "-o", "c.csv")
    with np.load("c.npz") as held:
        assert held["path"].tolist() == sorted(held["path"].tolist())
        assert held["label"].tolist() == [name[0] for name in held["path"]]
        assert dict(zip(*np.unique(held["split"], return_counts=True), strict=True)) == {
            "train": 6,
            "validation": 3,
            "test": 3,
        }
        pd.testing.assert_frame_equal(
            pd.read_csv("c.csv")[["label", "split", "path"]],
            pd.DataFrame({name: held[name].tolist() for name in ("label", "split", "path")}),
            check_dtype=False,
        )


def test_codes_of_a_new_folder_leave_with_their_files(folder: Path) -> None:
    call("encode", folder / "run", folder / "pictures" / "b", "-o", "c.npz")
    with np.load("c.npz") as held:
        assert held["path"].tolist() == ["01.png", "03.png", "05.png", "07.png", "09.png", "11.png"]
        assert len(held["codes"]) == 6


@pytest.mark.parametrize(("scale", "gap"), [(1, 0), (3, 0), (2, 4)])
def test_each_image_stands_in_its_place(scale: int, gap: int) -> None:
    values = torch.from_numpy(RANDOM.integers(0, 256, (5, 3, 4, 6)) / 127.5 - 1)
    pixels = np.asarray(draw_mosaic(values, 2, (-1.0, 1.0), Look(scale, gap)))
    assert pixels.shape == (3 * 4 * scale + 2 * gap, 2 * 6 * scale + gap, 3)
    for number, value in enumerate(values):
        top, left = number // 2 * (4 * scale + gap), number % 2 * (6 * scale + gap)
        tile = pixels[top : top + 4 * scale, left : left + 6 * scale]
        right = ((value + 1) * 127.5).numpy().transpose(1, 2, 0).repeat(scale, 0).repeat(scale, 1)
        np.testing.assert_allclose(tile, right, atol=0.51)


@pytest.mark.parametrize(("count", "side", "scale"), [(1, 8, 32), (64, 8, 4), (1797, 8, 1), (16, 64, 1)])
def test_a_picture_is_legible_by_itself(count: int, side: int, scale: int) -> None:
    picture = draw_mosaic(torch.zeros(count, 1, side, side), None, (0.0, 1.0), Look(None, 0))
    assert min(picture.size) >= 256
    assert picture.size[0] % (scale * side) == 0
    assert min(picture.size) // scale < 2 * 256


def test_originals_stand_over_their_reconstructions() -> None:
    originals, copies = torch.arange(5.0)[:, None, None, None], -torch.arange(5.0)[:, None, None, None]
    rows = interleave(originals, copies, 3).flatten().tolist()
    assert rows == [0, 1, 2, 0, -1, -2, 3, 4, 4, -3, -4]
    assert interleave(originals[:2], copies[:2], 3).flatten().tolist() == [0, 1, 0, -1]


def test_pictures_leave_as_png_svg_and_pdf(folder: Path) -> None:
    options = ("--originals", "--scale", "2", "--gap", "1")
    call("reconstruct", folder / "run", "-o", "r.png", *options)
    call("reconstruct", folder / "run", "-o", "r.svg", *options)
    call("reconstruct", folder / "run", "-o", "r.pdf", *options)
    pixels = np.asarray(Image.open("r.png"))
    assert pixels.shape == (6 * 13 - 1, 5 * 11 - 1)  # 12 pairs, 5 in a row, three pairs of rows
    first = np.asarray(Image.open(folder / "pictures/a/00.png"))
    np.testing.assert_array_equal(pixels[:12, :10], first.repeat(2, 0).repeat(2, 1))
    embedded = re.search(r'href="data:image/png;base64,([^"]+)"', Path("r.svg").read_text())
    assert embedded is not None
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(base64.b64decode(embedded[1])))), pixels)
    assert Path("r.pdf").read_bytes().startswith(b"%PDF")
    told = call("reconstruct", folder / "run", "-o", "r.npy", "--originals", status=2)
    assert "--originals is of pictures: write one of .png, .svg, .pdf" in told


def test_draws_leave_as_a_picture(folder: Path) -> None:
    call("sample", folder / "run", "-n", "4", "-o", "s.svg")
    call("sample", folder / "run", "-n", "4", "-o", "s.png")
    with Image.open("s.png") as picture:
        assert min(picture.size) >= 256


def test_a_report_on_changed_data_is_written_where_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def draw(run: otae.Run, specimens: Specimens, evaluation: object) -> list[object]:
        seen.append(specimens.sizes["all"])
        return []

    monkeypatch.setattr("otae.report.page._sections", draw)
    added = folder / "pictures/a/99.png"
    Image.fromarray(RANDOM.integers(0, 256, (6, 5), dtype=np.uint8)).save(added)
    try:
        assert "12 samples became 13" in call("report", folder / "run", status=2)
        assert "report.html" in call("report", folder / "run", "--anyway")
        assert seen == [13]
    finally:
        added.unlink()


def test_the_range_seen_in_training_is_that_of_pictures_where_none_is_declared(tmp_path: Path) -> None:
    values = RANDOM.uniform(-3, 5, (20, 4, 4)).astype("float32")
    model = {"latent_dim": 2, "encoder": "linear", "decoder": "linear", "prior": "gaussian"}
    fit = {"cost": "paired", "source": "data", "target": "reconstruction"}
    config = {"data": "digits", "model": model, "objective": {"fit": fit}, "training": {"epochs": 1}}
    run = otae.train(otae.load_config(config), tmp_path / "run", data=values, evaluation=False, report=False)
    np.save("new.npy", values[:, None])
    call("reconstruct", run.path, "new.npy", "-o", "r.png", "--scale", "1", "--originals")
    low, high = values.min(), values.max()
    right = ((values[0] - low) / (high - low) * 255).round()
    np.testing.assert_allclose(np.asarray(Image.open("r.png"))[:4, :4], right, atol=1)
