"""The command line at work: train, interrupt, resume, and use a run."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
import yaml
from fakes import EXPERIMENT, Blobs
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner, Result

import otae
from otae import Metric, Run
from otae.cli.app import app
from otae.interfaces import Figure, Specimen
from otae.training.module import Engine


class Counts(Metric):
    """Creates the number of samples judged."""

    headline = "samples"
    figures: ClassVar[dict[str, Figure]] = {"samples": Figure("samples", "The number of samples judged.", "higher")}

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"samples": float(len(specimen.data))}


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Judges by a fake metric and draws no pictures, in a folder that holds the experiment of fakes."""
    otae.metrics.register("counts", Counts)
    for home in ("otae.workflow", "otae.report"):
        monkeypatch.setattr(f"{home}.write_report", written)
    monkeypatch.chdir(tmp_path)
    judged = {"evaluation": {"metrics": ["counts"], "samples": 5}}
    Path("tiny.yaml").write_text(yaml.safe_dump(EXPERIMENT | judged))
    yield
    otae.metrics.unregister("counts")


def written(run: Run, *_: object, **__: object) -> Path:
    """Returns the page of a report that says nothing."""
    (run.path / "report.html").write_text("<!doctype html>")
    return run.path / "report.html"


@pytest.fixture
def folder(finished: Run, tmp_path: Path) -> Path:
    """Returns the folder of a trained run."""
    return Path(shutil.copytree(finished.path, tmp_path / "trained"))


def run(*arguments: str | Path) -> Result:
    """Returns what a command of `otae` left: its status and what it printed."""
    return CliRunner().invoke(app, [str(each) for each in arguments])


def succeeded(*arguments: str | Path) -> str:
    """Returns what a command printed that went well."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str | Path, status: int = 2) -> str:
    """Returns what a command said that went wrong, in one line."""
    result = run(*arguments)
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.stderr
    return " ".join(result.stderr.split())


def test_train_leaves_a_run_and_ends_with_its_figures() -> None:
    printed = succeeded("train", "tiny.yaml", "--output", "run", "--set", "training.epochs=1", "--set", "seed=7")
    assert all(part in printed for part in ("counts", "samples", "test", "all", "12", "60", "run/report.html"))
    run_ = Run("run")
    assert (run_.experiment.seed, run_.experiment.training.epochs) == (7, 1)
    assert run_.metrics == {"test": {"counts": {"samples": 12.0}}, "all": {"counts": {"samples": 60.0}}}
    assert otae.load("run").sample(3).shape == (3, 6)


def test_train_shows_each_terms_value_unless_it_is_to_be_quiet() -> None:
    told = run("train", "tiny.yaml", "-o", "loud", "-s", "training.epochs=2").stderr
    lines = [line for line in told.splitlines() if line.startswith("epoch")]
    assert [line.split()[1] for line in lines] == ["1/2", "2/2"]
    assert all(f"{name} " in lines[0] for name in ("total", "reconstruction", "spread", "merge", "surprise"))
    assert run("train", "tiny.yaml", "-o", "quiet", "-s", "training.epochs=1", "--quiet").stderr == ""


def test_a_runs_folder_is_dated_where_none_is_given() -> None:
    for _ in range(2):
        succeeded("train", "tiny.yaml", "-q", "-s", "training.epochs=1")
    names = sorted(path.name for path in Path("runs").iterdir())
    assert len(names) == 2
    assert all(name.startswith("tiny-epochs=1-2") for name in names)


@pytest.mark.slow
def test_a_run_trains_again_from_its_own_folder(folder: Path) -> None:
    succeeded("train", folder, "-o", "again", "-q")
    state = Run("again").model.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in Run(folder).model.state_dict().items())


def test_a_run_is_never_written_over(folder: Path) -> None:
    assert f"{folder} is not empty. Choose another --output" in refused("train", "tiny.yaml", "-o", folder)


def test_a_loss_that_is_not_finite_ends_with_status_1_and_names_the_term() -> None:
    venom = "objective.venom={cost: {name: poison, after: 1}, source: code, target: prior}"
    told = refused("train", "tiny.yaml", "-o", "run", "-q", "-s", venom, status=1)
    assert "term 'venom'" in told
    assert "at step 1" in told


@pytest.mark.slow
def test_an_interrupted_run_resumes_to_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    succeeded("train", "tiny.yaml", "-o", "unbroken", "-q")
    original = Engine.training_step

    def interrupted(self: Engine, batch: Tensor, index: int) -> None:
        if self.step == 4:
            os.kill(os.getpid(), signal.SIGINT)
        original(self, batch, index)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "training_step", interrupted)
        told = refused("train", "tiny.yaml", "-o", "broken", "-q", status=130)
    assert "Stopped: training was interrupted by SIGINT; continue with `otae resume broken`" in told
    assert "report.html" in succeeded("resume", "broken", "--quiet")
    expected = Run("unbroken").model.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in Run("broken").model.state_dict().items())
    assert "is complete. Go on with it by `otae resume broken --epochs N`" in refused("resume", "broken")


def test_ctrl_c_outside_training_ends_with_status_130(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def interrupted(self: Blobs, index: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Blobs, "__getitem__", interrupted)
    assert "Stopped: interrupted" in refused("encode", folder, status=130)
    assert not Path("codes.npy").exists()


def test_evaluate_judges_by_the_metrics_named(folder: Path) -> None:
    judged = json.loads(succeeded("evaluate", folder, "--metric", "counts", "--json"))
    assert judged == json.loads((folder / "evaluation.json").read_text())
    assert judged["figures"]["all"] == {"counts": {"samples": 60.0}}
    once = succeeded("evaluate", folder, "-m", "counts", "--split", "train", "--samples", "3", "--limit", "5")
    assert "train" in once
    assert Run(folder).metrics == {"train": {"counts": {"samples": 5.0}}}
    assert "counts" in succeeded("evaluate", folder, "-m", "counts")
    assert "No plugin named 'count' in 'otae.metrics'" in refused("evaluate", folder, "-m", "count")


def test_options_reach_a_metric_and_a_mistake_in_them_is_told(folder: Path) -> None:
    assert "--metric:1:14: expected" in refused("evaluate", folder, "-m", "{name: counts")
    assert "evaluation.metrics (metric 'counts').nonsense: unknown option" in refused(
        "evaluate", folder, "-m", "{name: counts, nonsense: 3}"
    ).replace("'counts'): nonsense", "'counts').nonsense")


def test_a_metric_that_fails_ends_an_evaluation_with_status_1_and_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counts, "__call__", lambda self, specimen: {"samples": 1 / 0})
    result = run("evaluate", folder, "-m", "counts")
    assert result.exit_code == 1
    assert "counts failed: ZeroDivisionError" in " ".join(result.stdout.split())


def test_evaluation_and_report_may_be_left_out() -> None:
    printed = succeeded(
        "train", "tiny.yaml", "-o", "bare", "-q", "-s", "training.epochs=1", "--no-evaluation", "--no-report"
    )
    assert "Run     bare" in printed
    assert "Report" not in printed
    assert {path.name for path in Path("bare").iterdir()}.isdisjoint({"evaluation.json", "report.html", "report"})


def test_what_follows_training_is_told_step_by_step() -> None:
    told = run("train", "tiny.yaml", "-o", "run", "-s", "training.epochs=1").stderr
    assert "Evaluating: 4 steps in" in told


def test_report_tells_where_the_page_is(folder: Path) -> None:
    assert succeeded("report", folder).strip() == str(folder / "report.html")


def test_sample_follows_its_seed(folder: Path) -> None:
    for name, options in (
        ("a", ["--seed", "1"]),
        ("b", ["--seed", "1", "--batch-size", "2"]),
        ("c", ["--seed", "2"]),
        ("d", []),
    ):
        assert f"{name}.npy 5 × 6" in " ".join(
            succeeded("sample", folder, "-n", "5", "-o", f"{name}.npy", *options).split()
        )
    a, b, c, d = (np.load(f"{name}.npy") for name in "abcd")
    np.testing.assert_allclose(a, b, rtol=1e-5)
    expected = otae.load(folder).sample(5, generator=torch.Generator().manual_seed(1))
    np.testing.assert_allclose(a, expected.numpy(), rtol=1e-5)
    assert not (a == c).any()
    assert not (a == d).any()


def test_encode_reads_the_runs_own_data_in_batches(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    whole = Blobs.__getitems__

    def counted(self: Blobs, indices: Sequence[int]) -> torch.Tensor:
        asked.append(len(indices))
        return whole(self, indices)

    monkeypatch.setattr(Blobs, "__getitems__", counted)
    succeeded("encode", folder, "--batch-size", "25")
    assert asked == [60, 25, 25, 10], "first, whether these are the data of the training"
    np.testing.assert_allclose(np.load("codes.npy"), otae.load(folder).encode(Blobs().points).numpy(), rtol=1e-5)


@pytest.mark.parametrize(("command", "name"), [("encode", "codes.npy"), ("reconstruct", "reconstructions.npy")])
def test_encode_and_reconstruct_take_the_runs_own_data_or_a_file(folder: Path, command: str, name: str) -> None:
    x = Blobs().points
    model = otae.load(folder)
    expected = (model.encode(x) if command == "encode" else model.reconstruct(x)).numpy()
    succeeded(command, folder)
    np.testing.assert_allclose(np.load(name), expected, rtol=1e-5)
    np.save("x.npy", x[:7].numpy().astype(">f8"))
    succeeded(command, folder, "x.npy", "--output", "deep/y.npy", "--batch-size", "3")
    np.testing.assert_allclose(np.load("deep/y.npy"), expected[:7], rtol=1e-5)


def test_an_output_that_is_there_is_kept_unless_it_is_to_be_replaced(folder: Path) -> None:
    succeeded("encode", folder)
    before = Path("codes.npy").read_bytes()
    assert "the file is there already. Choose another, or pass --overwrite" in refused("encode", folder, "tiny.npy")
    assert Path("codes.npy").read_bytes() == before
    np.save("x.npy", np.zeros((2, 6), dtype=np.float32))
    succeeded("encode", folder, "x.npy", "--overwrite")
    assert np.load("codes.npy").shape == (2, 2)
    assert not list(Path().glob("*.part"))


@pytest.mark.parametrize(("command", "arguments", "message"), [
    ("sample", ["-o", "a.jpg"], "--output a.jpg: cannot write .jpg. Allowed: .npy, .npz, .csv, .parquet, .png"),
    ("sample", ["-o", "a"], "--output a: cannot write a file without suffix"),
    ("sample", ["-o", "a.png"], "Samples of shape (6,) are no images: write them to a .npy file"),
    ("sample", ["-n", "0"], "greater than or equal to"),
    ("encode", ["-o", "a.png"], "--output a.png: cannot write .png. Allowed: .npy, .npz, .csv, .parquet"),
    ("encode", ["gone.npy"], "Cannot read gone.npy: there is no such file or folder"),
    ("encode", ["tiny.yaml"], "Cannot read tiny.yaml: the dataset of this run keeps no way from raw data to samples"),
    ("encode", ["whole.npy"], "Cannot read int64 of whole.npy: the dataset of this run keeps no way from raw data to samples"),
    ("encode", ["many.npz"], "Give a .npy file of one array of floating-point numbers, scaled as in training"),
    ("encode", ["flat.npy"], "and a floating-point type, scaled as in training; got shape (6,)"),
    ("reconstruct", ["empty.npy"], "was given no samples: the array is empty"),
])  # fmt: skip
def test_a_mistake_is_told_and_nothing_is_written(
    folder: Path, command: str, arguments: list[str], message: str
) -> None:
    np.save("whole.npy", np.zeros((2, 6), dtype=int))
    np.savez("many.npz", a=np.zeros((2, 6)))
    np.save("flat.npy", np.zeros(6))
    np.save("empty.npy", np.zeros((0, 6)))
    before = set(Path().iterdir())
    told = refused(command, folder, *arguments).replace("│ │", "").replace("  ", " ")
    assert message in told
    assert set(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("shape", "mode", "size"), [((5, 1, 4, 3), "L", (9, 8)), ((4, 3, 2, 2), "RGB", (4, 4)), ((1, 1, 2, 5), "L", (5, 2))]
)
def test_images_are_written_side_by_side_in_one_picture(
    tmp_path: Path, shape: Any, mode: str, size: tuple[int, int]
) -> None:
    from otae.cli.arrays import write

    values = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    write(tmp_path / "a.png", values)
    picture = Image.open(tmp_path / "a.png")
    assert (picture.mode, picture.size) == (mode, size)
    pixels = np.asarray(picture).reshape(size[1], size[0], -1)[: shape[2], : shape[3]]
    np.testing.assert_array_equal(pixels, (255 * values[0]).round().permute(1, 2, 0).numpy())
