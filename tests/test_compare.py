"""Runs side by side: seeds together, the best, significance, formats, and what is said first."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from scipy import stats
from typer.testing import CliRunner

import otae
from otae.cli.app import app
from otae.errors import ConfigError, RunError
from otae.evaluation import Evaluation
from otae.evaluation.result import Description
from otae.interfaces import Figure
from otae.study import compare_runs
from otae.study.formats import write_comparison

DESCRIPTIONS = {
    "copies": Description(
        "error", {"error": Figure("error of copies", "mean squared error", "lower", 0.0), "size": Figure("size", "")}
    ),
    "codes": Description("match", {"match": Figure("match_of codes", "1 for equal laws", "higher", 1.0)}),
}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, values: dict[str, Any]) -> Write:
    """Returns a function that writes the folder of a run that was evaluated, without training it."""

    def run(
        name: str, figures: Mapping[str, Any], changes: Mapping[str, Any] | None = None, seed: int = 0, **more: Any
    ) -> Path:
        path = tmp_path / name
        path.mkdir()
        config = {**values, **(changes or {}), "seed": seed}
        (path / "config.yaml").write_text(yaml.safe_dump(config))
        (path / "provenance.json").write_text(json.dumps({"title": more.pop("title", name)}))
        protocol = {"samples": 10, "held": {"test": 12}} | more.pop("protocol", {})
        Evaluation({"test": dict(figures)}, descriptions=DESCRIPTIONS, protocol=protocol, **more).write(path)
        return path

    return run


@pytest.fixture
def pair(write: Write) -> list[Path]:
    """Returns the runs of two variants with three seeds each: the first has the lower error, the second the better match."""
    errors = {"mine": [1.0, 1.2, 1.1], "other": [2.0, 2.3, 2.05]}
    matches = {"mine": [0.5, 0.6, 0.7], "other": [0.6, 0.62, 0.75]}
    changes = {"mine": {}, "other": {"training": {"epochs": 9}}}
    return [
        write(
            f"{name}-{seed}",
            {"copies": {"error": errors[name][seed], "size": 3.0}, "codes": {"match": matches[name][seed]}},
            changes[name],
            seed,
            title=name,
        )
        for name in errors
        for seed in range(3)
    ]


def test_runs_that_differ_in_seed_alone_are_one_row(pair: list[Path]) -> None:
    frame = otae.compare(pair)
    assert list(frame.index) == ["mine", "other"]
    assert frame["runs"]["seeds"].tolist() == [3, 3]
    assert frame["copies.error"]["mean"].tolist() == pytest.approx([1.1, 2.35 - 0.7 / 3])
    assert frame["copies.error"]["sd"]["mine"] == pytest.approx(0.1)
    assert frame["configuration"]["training.epochs"].tolist() == ["3", "9"]
    assert list(frame.columns.get_level_values(0).unique()) == ["configuration", "runs", "copies.error", "codes.match"]
    assert frame.attrs["figures"]["codes.match"]["better"] == "higher"


def test_the_best_is_where_the_figure_says_it_is(pair: list[Path]) -> None:
    frame = otae.compare(pair)
    assert frame["copies.error"]["best"].tolist() == [True, False]
    assert frame["codes.match"]["best"].tolist() == [False, True]
    assert frame["runs"]["rank"].tolist() == [1.5, 1.5]


def test_a_difference_is_tested_in_pairs_of_seeds(pair: list[Path]) -> None:
    comparison = compare_runs(pair)
    expected = stats.ttest_rel([1.0, 1.2, 1.1], [2.0, 2.3, 2.05]).pvalue
    cell = comparison.cells[1][0]
    assert cell is not None
    assert cell.p == pytest.approx(expected)
    assert cell.differs
    assert [row[1].differs for row in comparison.cells if row[1]] == [False, False]


def test_one_figure_or_a_pattern_of_them_can_be_asked_for(pair: list[Path]) -> None:
    assert [column.key for column in compare_runs(pair, ["copies"]).columns] == ["copies.error"]
    assert [column.key for column in compare_runs(pair, ["copies.*"]).columns] == ["copies.error", "copies.size"]
    assert [column.key for column in compare_runs(pair, ["codes.match", "copies.size"]).columns] == [
        "codes.match",
        "copies.size",
    ]
    with pytest.raises(ConfigError, match=r"No run has the figure 'copis'.*copies.error.*Did you mean 'copies'\?"):
        compare_runs(pair, ["copis"])
    with pytest.raises(ConfigError, match=r"Not all runs were judged on the split 'all'. On all: test"):
        compare_runs(pair, split="all")


def test_runs_of_different_data_are_told_first_and_never_against_each_other(write: Write) -> None:
    figures = {"copies": {"error": 1.0}}
    runs = [
        write("a", figures),
        write("b", {"copies": {"error": 2.0}}),
        write("c", figures, {"data": {"name": "blobs", "size": 99}}),
        write("d", {"copies": {"error": 3.0}}, {"data": {"name": "blobs", "size": 99}, "training": {"epochs": 1}}),
    ]
    with pytest.warns(UserWarning, match=r"The runs are of different data \(data.size: –, 99\)"):
        frame = otae.compare(runs)
    assert list(frame.index) == ["a", "c", "d"]
    assert frame["copies.error"]["best"].tolist() == [False, True, False]
    printed = CliRunner().invoke(app, ["compare", *map(str, runs)]).stdout
    assert printed.startswith("Warning: The runs are of different data")


def test_batches_are_no_other_data(write: Write) -> None:
    runs = [
        write(f"run-{size}", {"copies": {"error": 1.0}}, {"data": {"name": "blobs", "batch_size": size}})
        for size in (4, 8)
    ]
    assert compare_runs(runs).notes == []
    assert compare_runs(runs).labels == {"data.batch_size": "data.batch_size"}


def test_variants_of_one_title_are_told_apart_by_what_differs(write: Write) -> None:
    runs = [
        write(f"r{epochs}", {"copies": {"error": 1.0}}, {"training": {"epochs": epochs}}, title="same")
        for epochs in (1, 2)
    ]
    assert [variant.title for variant in compare_runs(runs).variants] == ["same, epochs=1", "same, epochs=2"]


def test_other_numbers_of_samples_and_failed_metrics_are_told(write: Write) -> None:
    runs = [
        write("a", {"copies": {"error": 1.0}}, {"training": {"epochs": 1}}, failed={"codes": "ValueError: no"}),
        write("b", {"copies": {"error": 1.0}}, protocol={"samples": 99}),
    ]
    first, second = compare_runs(runs).notes
    assert "judged differently (generations: 10, 99)" in first
    assert "The metric codes failed" in second


def test_a_figure_that_a_run_lacks_is_a_dash(write: Write) -> None:
    runs = [
        write("a", {"copies": {"error": 1.0}}),
        write("b", {"copies": {"error": 2.0}, "codes": {"match": 0.5}}, {"training": {"epochs": 1}}),
    ]
    comparison = compare_runs(runs)
    assert comparison.cells[0][1] is None
    assert "| 1 | **1.00** | – |\n" in write_comparison(comparison, "markdown")


@pytest.mark.parametrize("format", ["table", "markdown", "latex", "csv", "json"])
def test_every_format_holds_every_figure(format: str, pair: list[Path]) -> None:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["compare", *map(str, pair), "--format", format])
    assert result.exit_code == 0, result.output
    if format == "json":
        read = json.loads(result.stdout)
        assert [each["title"] for each in read["variants"]] == ["mine", "other"]
        assert read["variants"][0]["figures"]["copies.error"]["seeds"] == {"0": 1.0, "1": 1.2, "2": 1.1}
    elif format == "csv":
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        assert [float(row["copies.error.mean"]) for row in rows] == pytest.approx([1.1, 2.35 - 0.7 / 3])
    else:
        assert all(text in result.stdout for text in ("mine", "other", "1.10", "0.10", "2.12"))
        bold = {"table": "1.10 ± 0.10", "markdown": "**1.10 ± 0.10**", "latex": r"\textbf{1.10 $\pm$ 0.10}"}
        assert bold[format] in result.stdout


def test_latex_and_markdown_escape_what_means_something_there(pair: list[Path]) -> None:
    comparison = compare_runs(pair)
    latex, markdown = (write_comparison(comparison, each) for each in ("latex", "markdown"))  # type: ignore[arg-type]
    assert r"match\_of codes $\uparrow$" in latex
    assert latex.count(r"\\") == 3
    assert r"match\_of codes ↑" in markdown


def test_a_folder_stands_for_the_runs_in_it(pair: list[Path]) -> None:
    assert len(compare_runs([pair[0].parent]).variants) == 2
    assert compare_runs(pair[0]).variants[0].seeds == [0]


def test_what_is_no_run_or_was_not_evaluated_is_refused(pair: list[Path], tmp_path: Path) -> None:
    (pair[0] / "evaluation.json").unlink()
    with pytest.raises(RunError, match=r"mine-0 was not evaluated. Evaluate it: `otae evaluate"):
        compare_runs([pair[0]])
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match=r"empty holds no run: there is no config.yaml in it"):
        compare_runs([tmp_path / "empty"])
    result = CliRunner().invoke(app, ["compare", str(tmp_path / "empty")])
    assert result.exit_code == 2


def test_more_variants_than_figures_are_rows(write: Write) -> None:
    runs = [
        write(f"v{epochs}", {"copies": {"error": float(epochs)}}, {"training": {"epochs": epochs}})
        for epochs in range(1, 8)
    ]
    printed = CliRunner(env={"COLUMNS": "150"}).invoke(app, ["compare", *map(str, runs)]).stdout
    assert any("v7" in line and "7.00" in line for line in printed.splitlines())
