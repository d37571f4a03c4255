"""Studies: points that are trained once, go on, fail alone, and are told as a table and a page."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from fakes import EXPERIMENT
from filelock import FileLock
from judges import Miss, Reach
from typer.testing import CliRunner

import otae
from otae import run_study
from otae.cli.app import app
from otae.errors import ConfigError, RunError
from otae.report.theme import LIGHT
from otae.run import Run
from otae.study import Study
from otae.study.page import write_page
from otae.study.pictures import find_axis, lines

HERE = {"name": "local", "jobs": 1}
SMALL = {"training.epochs": 1, "evaluation.metrics": ["miss", "reach"], "evaluation.samples": 8}


@pytest.fixture(autouse=True)
def _judges(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Offers fake metrics, in a folder that holds the experiment of fakes, and draws no page where nobody looks at it."""
    monkeypatch.setattr("otae.study.campaign.write_page", lambda study: None)
    otae.metrics.register("miss", Miss)
    otae.metrics.register("reach", Reach)
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(yaml.safe_dump(EXPERIMENT))
    yield
    otae.metrics.unregister("miss")
    otae.metrics.unregister("reach")


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Returns a list of what is trained or continued from now on, as it happens."""
    from otae.study import task

    seen: list[str] = []

    def watched(name: str, function: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            seen.append(name)
            return function(*arguments, **options)

        return call

    for name in ("train", "resume", "evaluate"):
        monkeypatch.setattr(task, name, watched(name, getattr(task, name)))
    return seen


def study(values: dict[str, Any] | None = None, **options: Any) -> Study:
    """Returns a study of two priors and one seed, run in this process without reports."""
    declaration = {
        "title": "Small",
        "base": "tiny.yaml",
        "seeds": 1,
        "set": dict(SMALL),
        "grid": {"model.prior": ["shifted", "standard"]},
    }
    return run_study({**declaration, **(values or {})}, "out", executor=HERE, report=False, **options)


def test_a_study_trains_every_point_and_tells_time_and_memory() -> None:
    done = study({"seeds": 2})
    assert [(point.variant, point.seed) for point in done.done] == [
        (f"tiny, prior={prior}", seed) for prior in ("shifted", "standard") for seed in (0, 1)
    ]
    for point in done.points:
        record = done.records[point.hash]
        assert record.seconds > 0
        assert 50 * 2**20 < record.memory < 8 * 2**30
        assert Run(done.run(point)).experiment.seed == point.seed
    frame = otae.compare([done.path])
    assert frame["runs"]["seeds"].tolist() == [2, 2]


def test_the_same_call_again_trains_nothing(trained: list[str]) -> None:
    study()
    assert trained == ["train"] * 2
    study()
    assert trained == ["train"] * 2


@pytest.mark.slow
def test_more_seeds_and_other_titles_train_only_what_is_new(trained: list[str]) -> None:
    study()
    wider = study({"title": "Other", "seeds": [0, 1], "grid": {}, "variants": {"renamed": {"model.prior": "standard"}}})
    assert trained == ["train"] * 3
    assert [point.seed for point in wider.done] == [0, 1]


@pytest.mark.slow
def test_a_change_of_the_evaluation_alone_judges_anew(trained: list[str]) -> None:
    study()
    again = study({"set": {**SMALL, "evaluation.metrics": ["miss"]}})
    assert trained == ["train"] * 2 + ["evaluate"] * 2
    assert [column.key for column in again.compare().columns] == ["miss.error"]
    study({"set": {**SMALL, "evaluation.metrics": ["miss"]}})
    assert len(trained) == 4


def test_a_point_that_fails_is_recorded_and_skipped_until_it_is_to_be_tried_again(trained: list[str]) -> None:
    broken = {"variants": {"sound": {}, "spoilt": {"data.spoilt": True}}, "grid": {}}
    first = study(broken)
    assert [(point.variant, first.records[point.hash].state) for point in first.points] == [
        ("sound", "done"),
        ("spoilt", "failed"),
    ]
    record = first.records[first.failed[0].hash]
    assert "Error" in record.error
    assert "Traceback" in record.traceback
    assert trained == ["train"] * 2
    study(broken)
    assert trained == ["train"] * 2
    study(broken, retry=True)
    assert len(trained) == 3


def test_an_interrupted_study_goes_on_where_it_was(trained: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from otae.training.module import Engine

    whole = {"grid": {}, "seeds": 2, "set": {**SMALL, "training.epochs": 3}}
    expected = [Run(done.run(point)).metrics for done in [study(whole)] for point in done.points]
    os.rename("out", "unbroken")
    step, count = Engine.training_step, iter(range(10**6))

    def stopping(self: Engine, *arguments: Any) -> Any:
        if next(count) == 4:
            os.kill(os.getpid(), 2)
        return step(self, *arguments)

    monkeypatch.setattr(Engine, "training_step", stopping)
    del trained[:]
    with pytest.raises(KeyboardInterrupt, match="2 points left; the same command goes on"):
        study(whole)
    assert trained == ["train"]
    done = study(whole)
    assert trained == ["train", "resume", "train"]
    assert [Run(done.run(point)).metrics for point in done.points] == expected


def test_the_table_is_tidy(tmp_path: Path) -> None:
    done = study({"variants": {"sound": {}, "spoilt": {"data.spoilt": True}}, "grid": {}})
    frame = pd.read_csv(done.path / "results.csv")
    pd.testing.assert_frame_equal(
        frame, pd.read_csv(io.StringIO(pd.read_parquet("out/results.parquet").to_csv(index=False)))
    )
    assert frame["figure"].dropna().tolist() == ["error", "count", "spread"] * 2
    row = frame[(frame.metric == "miss") & (frame.figure == "error") & (frame.split == "test")].iloc[0]
    assert row.value == pytest.approx(Run(done.run(done.points[0])).metrics["test"]["miss"]["error"])
    assert (row.variant, row.seed, row.state, row.run) == ("sound", 0, "done", f"runs/{done.run(done.points[0]).name}")
    failed = frame[frame.state == "failed"]
    assert len(failed) == 1
    assert "Error" in failed.error.iloc[0]


@pytest.mark.slow
def test_the_page_tells_figures_failures_and_samples() -> None:
    done = study({"variants": {"sound": {}, "spoilt": {"data.spoilt": True}}, "grid": {}})
    write_page(done)
    page = (done.path / "report.html").read_text()
    assert all(text in page for text in ("Small", "sound", "error of copies", "1 of 2 points failed", "mean rank"))
    assert "http" not in page.replace("http://www.w3.org", "").replace("https://www.w3.org", "").partition("<body>")[2]
    names = {path.name for path in (done.path / "report").iterdir()}
    assert {"figure-1-miss-error.svg", "figure-1-reach-spread.svg", "variant-1-samples.svg"} <= names


@pytest.mark.slow
def test_a_numeric_option_of_three_values_is_drawn_as_a_line() -> None:
    comparison = study({"grid": {"model.latent_dim": [1, 2, 3]}}).compare()
    path = find_axis(comparison, range(3))
    assert path is not None
    assert comparison.labels[path] == "latent_dim"
    figure = lines(comparison, 0, range(3), path, LIGHT)
    (line,) = (each for each in figure.axes[0].lines if each.get_marker() == "o")
    assert line.get_xdata().tolist() == [1, 2, 3]
    assert line.get_ydata().tolist() == [row[0].spread.mean for row in comparison.cells if row[0]]
    assert find_axis(comparison, range(2)) is None


def test_two_processes_do_not_train_the_same_study() -> None:
    Path("out").mkdir()
    with FileLock("out/.lock"), pytest.raises(RunError, match="Another process is at work on the study"):
        study()


def test_a_study_without_a_point_that_is_done_tells_why() -> None:
    done = study({"set": {**SMALL, "data.spoilt": True}, "grid": {}})
    write_page(done)
    assert "1 of 1 points failed" in (done.path / "report.html").read_text()
    with pytest.raises(RunError, match=r"No point of the study .* is done: \w+Error: "):
        done.compare()


@pytest.mark.parametrize(
    ("executor", "message"),
    [
        ({"name": "locl"}, r"executor: No executor named 'locl'. Known: local, ray, slurm. Did you mean 'local'\?"),
        ({"name": "local", "job": 2}, r"executor \(local\): job: unknown option. Allowed: jobs, threads"),
        ({"name": "local", "jobs": 0}, r"executor \(local\): jobs: .*greater than 0"),
    ],
)
def test_an_unknown_executor_or_option_is_refused_before_anything_trains(
    executor: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_study({"base": "tiny.yaml"}, "out", executor=executor)
    assert not Path("out").exists()


def test_the_command_line_takes_recipes_seeds_and_a_grid() -> None:
    told = CliRunner().invoke(
        app, ["study", "ae", "vae", "--seeds", "0", "1", "2", "-g", "training.epochs=[1, 2]", "--dry-run"]
    )
    assert told.exit_code == 0, told.output
    lines = [line.rpartition("  ")[0] for line in told.stdout.splitlines()]
    assert lines == [
        f"{name}, epochs={epochs}, seed {seed}" for name in ("ae", "vae") for epochs in (1, 2) for seed in range(3)
    ]
    ranged = CliRunner().invoke(app, ["study", "ae", "--seeds", "3-4,7", "--dry-run"]).stdout
    assert [line.split()[2] for line in ranged.splitlines()] == ["3", "4", "7"]


def test_the_command_line_runs_a_file_and_ends_with_its_table() -> None:
    Path("small.yaml").write_text(
        yaml.safe_dump({"base": "tiny.yaml", "set": SMALL, "grid": {"data.size": [40, 50]}, "metrics": "miss"})
    )
    told = CliRunner(env={"COLUMNS": "150"}).invoke(app, ["study", "small.yaml", "-j", "1", "--no-reports"])
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("Warning: The runs are of different data (data.size: 40, 50)")
    assert "error of copies" in told.stdout
    assert "spread" not in told.stdout
    assert "2/2  tiny, data.size=50, seed 0: done in" in told.stderr
    assert Path("studies/small/results.csv").is_file()
    records = [json.loads(path.read_text()) for path in Path("studies/small/points").glob("*.json")]
    assert {record["settings"]["data.size"] for record in records} == {"40", "50"}


def test_the_command_line_tells_failures_and_mistakes_by_its_status() -> None:
    failed = CliRunner().invoke(
        app, ["study", "tiny.yaml", "-s", "data.spoilt=true", "-s", "training.epochs=1", "-j", "1", "-o", "out"]
    )
    assert failed.exit_code != 0
    mistaken = CliRunner().invoke(app, ["study", "tiny.yaml", "-s", "trainig.epochs=1"])
    assert mistaken.exit_code == 2
    assert "set.trainig.epochs" in mistaken.stderr
