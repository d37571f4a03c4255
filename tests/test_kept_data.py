"""What a run keeps of its data: new data are scaled as those of the training, and changed data are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

import otae
from otae.cli.app import app
from otae.config import Experiment
from otae.errors import DataError, RunError

RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame({"temp": RANDOM.normal(20, 5, 60), "hits": RANDOM.integers(0, 9, 60)})
PIXELS = RANDOM.integers(0, 256, (40, 6, 5), dtype=np.uint8)


def trained(path: Path, data: dict[str, Any]) -> otae.Run:
    """Returns a run of one epoch on some data."""
    model = {"latent_dim": 2, "encoder": "linear", "decoder": "linear", "prior": "gaussian"}
    fit = {"cost": "paired", "source": "data", "target": "reconstruction"}
    experiment = {"data": data, "model": model, "objective": {"fit": fit}, "training": {"epochs": 1}}
    return otae.train(Experiment.model_validate(experiment), path, evaluation=False, report=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with a run on a table, and its data."""
    home = tmp_path_factory.mktemp("table")
    FRAME.to_csv(home / "d.csv", index=False)
    trained(home / "run", {"name": "table", "path": str(home / "d.csv")})
    return home


@pytest.fixture
def home(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns a copy of that folder to change, as the working directory; the run still reads the first one's data."""
    shutil.copytree(folder, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    config = tmp_path / "copy/run/config.yaml"
    config.write_text(config.read_text().replace(str(folder), str(tmp_path / "copy")))
    return tmp_path / "copy"


def call(*arguments: str, status: int = 0) -> str:
    """Returns what a command prints, on one line."""
    result = CliRunner().invoke(app, list(arguments))
    told = " ".join(result.output.split())
    assert result.exit_code == status, told
    return told


def expected(run: otae.Run, frame: pd.DataFrame) -> np.ndarray:
    """Returns the codes of rows, scaled by scikit-learn as the training rows."""
    scaled = StandardScaler().fit(FRAME.to_numpy()).transform(frame[["temp", "hits"]].to_numpy())
    return run.model.encode(scaled.astype("float32"))


def test_new_rows_are_scaled_by_the_training_rows(home: Path) -> None:
    new = FRAME.iloc[:7][["hits", "temp"]].assign(unknown=1) + 3
    new.to_csv("new.csv", index=False)
    call("encode", "run", "new.csv", "-o", "c.npy")
    run = otae.Run("run")
    np.testing.assert_allclose(np.load("c.npy"), expected(run, new), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(otae.load("run").encode(new), expected(run, new), rtol=1e-4, atol=1e-5)
    Path("d.csv").unlink()  # no data are needed for it
    call("encode", "run", "new.csv", "-o", "c.npy", "--overwrite")


def test_new_rows_that_do_not_fit_are_told(home: Path) -> None:
    FRAME[["temp"]].to_csv("new.csv", index=False)
    assert "lacks 1 of the columns that the model was trained on: hits" in call("encode", "run", "new.csv", status=2)
    assert "Cannot read gone.csv: there is no such file" in call("encode", "run", "gone.csv", status=2)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda frame: pd.concat([frame, frame + 50]),
            "60 samples became 120; the values of temp, hits have another range",
        ),
        (lambda frame: frame[["hits", "temp"]], "the columns temp, hits became hits, temp"),
        (lambda frame: frame.iloc[::-1], "other values in as many samples"),
        (lambda frame: frame.assign(more=1.0), r"samples of shape \(2,\) became \(3,\)"),
    ],
)
def test_changed_data_are_refused_with_what_changed(home: Path, change: Any, told: str) -> None:
    change(FRAME).to_csv("d.csv", index=False)
    for command in ("encode", "reconstruct", "evaluate"):
        assert "--anyway takes them as they are" in call(command, "run", status=2)
    with pytest.raises(RunError, match=told):
        otae.evaluate("run")


def test_changed_data_are_taken_anyway_where_asked_for(home: Path) -> None:
    FRAME.iloc[::-1].to_csv("d.csv", index=False)
    call("encode", "run", "--anyway")
    assert len(np.load("codes.npy")) == 60
    call("evaluate", "run", "--anyway", "-m", "reconstruction", "-q")


def test_samples_of_a_table_leave_as_a_table(home: Path) -> None:
    call("sample", "run", "-n", "5", "--seed", "0", "-o", "s.csv")
    drawn = pd.read_csv("s.csv")
    assert list(drawn.columns) == ["temp", "hits"]
    assert drawn["hits"].dtype == np.int64
    scale = StandardScaler().fit(FRAME.to_numpy())
    rows = otae.load("run").sample(5, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(drawn["temp"], scale.inverse_transform(rows.numpy())[:, 0], rtol=1e-4)
    call("reconstruct", "run", "-o", "r.parquet")
    assert pd.read_parquet("r.parquet").shape == (60, 2)


def test_codes_leave_with_their_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    labelled = FRAME.assign(kind=["a", "b", "b"] * 20)
    labelled.to_csv("d.csv", index=False)
    run = trained(tmp_path / "run", {"name": "table", "path": str(tmp_path / "d.csv"), "label": "kind"})
    call("encode", "run", "-o", "c.csv")
    table = pd.read_csv("c.csv")
    assert table["label"].tolist() == labelled["kind"].tolist()
    np.testing.assert_allclose(table[["code_0", "code_1"]], expected(run, FRAME), rtol=1e-4, atol=1e-5)
    call("encode", "run", "-o", "c.npz")
    with np.load("c.npz") as held:
        assert held["codes"].shape == (60, 2)
        assert held["label"].tolist() == labelled["kind"].tolist()


def test_bytes_are_divided_as_in_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", PIXELS)
    run = trained(tmp_path / "run", {"name": "arrays", "path": str(tmp_path / "x.npy")})
    right = run.model.encode((PIXELS[:, None] / 255).astype("float32"))
    call("encode", "run", "x.npy", "-o", "a.npy")
    np.testing.assert_allclose(np.load("a.npy"), right, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run.model.encode(PIXELS), right, rtol=1e-5, atol=1e-6)
    np.save("scaled.npy", (PIXELS[:3, None] / 255).astype("float32"))
    call("encode", "run", "scaled.npy", "-o", "b.npy")
    np.testing.assert_allclose(np.load("b.npy"), right[:3], rtol=1e-5, atol=1e-6)
    np.save("dark.npy", (PIXELS[:3] > 99).astype("uint8"))  # no more than 1, and yet bytes
    call("encode", "run", "dark.npy", "-o", "d.npy")
    dark = run.model.encode(((PIXELS[:3, None] > 99) / 255).astype("float32"))
    np.testing.assert_allclose(np.load("d.npy"), dark, rtol=1e-5, atol=1e-6)
    with pytest.raises(DataError, match=r"samples of shape \(1, 3, 3\), where the model was trained on \(1, 6, 5\)"):
        run.model.encode(PIXELS[:, :3, :3])


def test_pictures_are_read_as_in_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, chosen in (("old", PIXELS), ("new", PIXELS[:3])):
        (tmp_path / folder).mkdir()
        for number, picture in enumerate(chosen):
            Image.fromarray(picture).save(tmp_path / folder / f"{number:02}.png")
    run = trained(tmp_path / "run", {"name": "images", "path": str(tmp_path / "old"), "mode": "L"})
    right = run.model.encode((PIXELS[:3, None] / 255).astype("float32"))
    call("encode", "run", "new", "-o", "folder.npy")
    call("encode", "run", "new/01.png", "-o", "one.npy")
    np.testing.assert_allclose(np.load("folder.npy"), right, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.load("one.npy"), right[1:2], rtol=1e-5, atol=1e-6)
    Image.fromarray(PIXELS[0, :3]).save("small.png")
    told = call("encode", "run", "small.png", status=2)
    assert "has 3×5 pixels, where the model was trained on 6×5" in told


def test_pictures_are_drawn_in_the_range_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", (PIXELS[:, None] / 127.5 - 1).astype("float32"))
    trained(tmp_path / "run", {"name": "arrays", "path": str(tmp_path / "x.npy"), "value_range": [-1.0, 1.0]})
    call("reconstruct", "run", "-o", "r.npy")
    call("reconstruct", "run", "-o", "r.png", "--scale", "1")
    samples, picture = np.load("r.npy"), np.asarray(Image.open("r.png"))
    np.testing.assert_allclose(picture[:6, :5], ((samples[0, 0] + 1) / 2).clip(0, 1) * 255, atol=0.51)


def test_a_corrupt_record_is_named(home: Path) -> None:
    kept = json.loads(Path("run/data.json").read_text())
    for spoilt in ("{", json.dumps(kept | {"more": 1}), json.dumps(kept | {"preparation": {"columns": []}})):
        Path("run/data.json").write_text(spoilt)
        FRAME.to_csv("new.csv", index=False)
        assert "data.json" in call("encode", "run", "new.csv", status=2)
