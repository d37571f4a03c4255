"""The report: one page that needs nothing else, right about the run, for data of any shape."""

from __future__ import annotations

import ast
import base64
import io
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from marks import rest_slow
from PIL import Image

import otae
import otae.report
from otae import Autoencoder, Run, load_config
from otae.evaluation import Evaluation, evaluate
from otae.evaluation.result import Description
from otae.files import write_json
from otae.interfaces import Feature, Samples, Specimen, Table
from otae.interfaces import Figure as Described
from otae.report import canvas, exploration, gallery, summary, write_report
from otae.report.canvas import Picture, photographed
from otae.report.pictures import distances, graph, losses, mosaic
from otae.report.theme import DARK, LIGHT
from otae.schedule import Schedule
from otae.training import fit

ADDRESS = re.compile(
    r"""(?:src|srcset|href|data|action|poster)\s*=\s*["']([^"']*)["']|url\(([^)]*)\)|@import\s+(\S+)"""
)


@pytest.fixture(scope="module")
def evaluated(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(shutil.copytree(finished.path, tmp_path_factory.mktemp("report") / "run"))
    evaluate(run, metrics=["default"], samples=200)
    before, state = "matplotlib.pyplot" in sys.modules, torch.get_rng_state()
    write_report(run)
    assert ("matplotlib.pyplot" in sys.modules) == before, "the report must not touch matplotlib's global state"
    assert torch.equal(torch.get_rng_state(), state), "the report must not touch torch's global state"
    return run


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run.create(tmp_path_factory.mktemp("images") / "digits", load_config("gwae", ["training.epochs=1"]))
    fit(run)
    write_report(run)
    return run


def page(run: Run) -> str:
    return (run.path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", rest_slow(["evaluated", "pictured"]))
def test_the_page_needs_nothing_from_outside(name: str, request: pytest.FixtureRequest) -> None:
    html = page(request.getfixturevalue(name))
    addresses = ["".join(groups) for groups in ADDRESS.findall(html)]
    assert len(addresses) > 5
    assert all(address.startswith("data:") for address in addresses)
    assert "<script" not in html


@pytest.mark.parametrize("name", rest_slow(["evaluated", "pictured"]))
def test_every_picture_is_a_file_and_in_the_page(name: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(name)
    files = sorted((run.path / "report").iterdir())
    assert len(files) > 5
    for file in files:
        assert base64.b64encode(file.read_bytes()).decode() in page(run), f"{file.name} is not in the page"


def test_the_page_has_every_term_metric_and_setting(evaluated: Run) -> None:
    html = page(evaluated)
    for name, term in evaluated.experiment.objective.items():
        assert f"<th>{name}</th>" in html
        assert f"{term.cost.name}({', '.join(term.source) if len(term.source) == 1 else ''}" in html
        assert (evaluated.path / "report" / f"loss-{name}.svg").exists()
    assert (evaluated.path / "report" / "loss-merge.adversary.svg").exists()
    assert "duel((data, code), (generation, prior))" in html
    assert "0 → 0.1 over 6 steps" in html
    assert escape(evaluated.experiment.to_yaml(), quote=False).replace("'", "&#39;").replace('"', "&#34;") in html
    for metric, figures in evaluated.metrics["test"].items():
        assert all(summary.number(value) in html and name in html for name, value in figures.items()), metric
    assert f"torch {torch.__version__}" in html


@pytest.mark.slow
def test_a_run_that_was_not_evaluated_says_so(pictured: Run) -> None:
    assert "not evaluated yet" in page(pictured)
    assert "Reconstruction error" not in page(pictured)


def test_an_evaluated_run_has_its_key_figures(evaluated: Run) -> None:
    html = page(evaluated)
    assert "not evaluated" not in html
    assert f"<strong>{summary.number(evaluated.metrics['test']['reconstruction']['ratio'], 3)}</strong>" in html
    assert "<strong>1 epoch</strong>" in html


@pytest.mark.slow
def test_names_cannot_smuggle_markup_into_a_page_even_without_a_history(finished: Run, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)> & \"'"
    run = Run(shutil.copytree(finished.path, tmp_path / evil))
    write_json(run.path / "provenance.json", {**run.provenance, "title": evil, "command": [evil], "machine": evil})
    described = {evil: Description(evil, {evil: Described(evil, evil)})}
    Evaluation(figures={"test": {evil: {evil: 1.0}}, evil: {}}, descriptions=described).write(run.path)
    (run.path / "metrics.csv").unlink()
    html = write_report(run).read_text(encoding="utf-8")
    assert "<img src=x" not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") >= 5
    assert "<h2>Losses</h2>" not in html


def test_the_dark_picture_is_what_drawing_it_again_would_give() -> None:
    series = [0.0, 1.0, 2.0], [3.0, 1.0, 2.0]
    light, dark = (canvas._file(losses.loss(series, series, theme), "svg") for theme in (LIGHT, DARK))
    recoloured = canvas.recolour(light)
    assert recoloured is not None
    assert _nameless(recoloured) == _nameless(dark)
    assert recoloured != light


def test_a_picture_that_holds_pixels_or_mixed_colours_is_drawn_again() -> None:
    assert canvas.recolour(b'<path fill="#123456"/>') is None
    assert canvas.recolour(b'<image href="data:,"/>') is None


def _nameless(svg: bytes) -> bytes:
    return re.sub(rb'(id="|#)[a-z]{1,2}[0-9a-f]{10}', b"", svg)


def test_matplotlib_and_jinja_are_imported_only_to_draw() -> None:
    for file in Path(otae.report.__file__).parent.rglob("*.py"):
        top = ast.parse(file.read_text(encoding="utf-8")).body
        names = [node.module or "" for node in top if isinstance(node, ast.ImportFrom) and not node.level]
        names += [alias.name for node in top if isinstance(node, ast.Import) for alias in node.names]
        assert not [name for name in names if name.startswith(("matplotlib", "jinja2"))], file.name


def specimen(shape: tuple[int, ...], latent_dim: int = 3, count: int = 40, classes: int | None = 3) -> Specimen:
    def draws(number: int, *sizes: int) -> torch.Tensor:
        return torch.randn(number, *sizes, generator=torch.Generator().manual_seed(number))

    labels = None if classes is None else torch.arange(count) % classes
    return Specimen(
        data=draws(count, *shape),
        codes=draws(count, latent_dim),
        reconstructions=draws(count + 1, *shape)[:count],
        generations=draws(90, *shape),
        prior=draws(90, latent_dim),
        train=Samples(data=draws(50, *shape), codes=draws(50, latent_dim)),
        labels=labels,
    )


def everything(given: Specimen) -> list[Picture]:
    of_data = gallery.reconstructions(given, None, named(given)) + gallery.generations(given, None, named(given))
    return of_data + gallery.latent_space(given) + gallery.isometry(given)


def named(given: Specimen) -> list[Feature]:
    """Returns a name for each entry of a specimen's samples."""
    return [Feature(f"feature {number}") for number in range(given.data[0].numel())]


def test_one_hot_entries_are_shown_as_bars_under_the_name_of_their_column() -> None:
    given = specimen((3,))
    features = [Feature("weight", unit="kg"), Feature("kind", category="cat"), Feature("kind", category="dog")]
    shown = gallery.reconstructions(given, None, features) + gallery.generations(given, None, features)
    assert [picture.caption for picture in shown] == [
        "weight (kg), before and after", "kind, before and after", "weight (kg)", "kind",
    ]  # fmt: skip
    assert all("dog" in picture.light.decode() for picture in (shown[1], shown[3]))


def test_what_each_entry_of_a_code_does_is_explored(model: Autoencoder) -> None:
    given = specimen((6,), latent_dim=2)
    names = [feature.name for feature in named(given)]
    assert [picture.name for picture in exploration.traversals(model, given, None, names)] == [
        "traversal-1", "traversal-2",
    ]  # fmt: skip
    assert exploration.components(model, None, names, 0) == []
    assert exploration.prior_graph(model) == []


def test_a_graph_goes_from_causes_to_effects() -> None:
    chain = np.array([[False, True, True], [False, False, True], [False, False, False]])
    assert graph.positions(chain)[:, 0].tolist() == [0, 1, 2]
    assert graph.graph(torch.tensor(chain.astype(int)), LIGHT) is not None


def test_a_matrix_of_a_metric_is_shown_with_its_names() -> None:
    table = Table(torch.tensor([[0.5, -1.0]]), ("size",), ("z0", "z1"), "Importance")
    evaluation = Evaluation(tables={"test": {"dci": {"importance": table}}})
    (picture,) = exploration.tables(evaluation, "test")
    assert (picture.name, picture.caption) == ("table-dci-importance", "Importance.")
    assert exploration.tables(evaluation, "all") == []


SHAPES = [(13,), (2, 6, 6), (1,), (2,), (3,), (1, 1, 9)]
IMAGES = [(1, 8, 8), (3, 8, 8), (4, 9, 5), (3, 520, 40)]


@pytest.mark.parametrize("shape", rest_slow(map(pytest.param, SHAPES)), ids=str)
def test_data_that_are_no_images_are_shown_feature_by_feature(shape: tuple[int, ...]) -> None:
    pictures = everything(specimen(shape))
    assert all(picture.suffix == "svg" and picture.dark for picture in pictures)
    assert len({picture.name for picture in pictures}) == len(pictures)


@pytest.mark.parametrize("shape", rest_slow(map(pytest.param, IMAGES), 2), ids=str)
@pytest.mark.parametrize("value_range", [(0.0, 1.0), None])
def test_images_are_shown_as_images(shape: tuple[int, ...], value_range: tuple[float, float] | None) -> None:
    given = specimen(shape, count=12)
    features = named(given)
    of_data = gallery.reconstructions(given, value_range, features) + gallery.generations(given, value_range, features)
    assert {picture.suffix for picture in of_data} == {"png"}
    assert [picture.name for picture in of_data] == ["reconstructions", "generations"]
    assert all(800 < Image.open(io.BytesIO(picture.light)).width < 3_000 for picture in of_data)


@pytest.mark.parametrize("latent_dim", [1, 2, 7])
@pytest.mark.parametrize("classes", rest_slow([10, None, 1, 15, 30]))
def test_the_latent_space_of_any_dimension_is_shown_with_any_labels(latent_dim: int, classes: int | None) -> None:
    assert gallery.latent_space(specimen((4,), latent_dim, classes=classes))


@pytest.mark.parametrize("count", rest_slow([1, 2]))
@pytest.mark.slow
def test_few_samples_are_shown(count: int) -> None:
    assert everything(specimen((1,), count=count, classes=1))


@pytest.mark.parametrize("shape", [(2,), (1, 6, 6)], ids=str)
@pytest.mark.parametrize("cloud", rest_slow(["data", "codes", "prior", "generations"]))
@pytest.mark.slow
def test_a_collapsed_model_is_shown(shape: tuple[int, ...], cloud: str) -> None:
    given = specimen(shape)
    assert everything(replace(given, **{cloud: getattr(given, cloud)[:1].expand_as(getattr(given, cloud))}))


def pixels(figure: Any) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(photographed("name", "", figure).light)).convert("RGBA"))


def test_a_mosaic_shows_values_clipped_to_the_range_and_gaps_transparent() -> None:
    values = torch.tensor([[-1.0, 0.0], [0.5, 3.0]]).reshape(1, 1, 2, 2).repeat(2, 1, 1, 1)
    shown = pixels(mosaic.images(values, (0.0, 1.0), 2))
    size = shown.shape[0] // 2
    corners = shown[[size // 2, size // 2, -size // 2, -size // 2], [size // 2, size * 3 // 2] * 2]
    assert corners.tolist() == [[0, 0, 0, 255], [0, 0, 0, 255], [127, 127, 127, 255], [255, 255, 255, 255]]
    assert shown[size, shown.shape[1] // 2, 3] == 0


def test_a_reconstruction_stands_under_its_original() -> None:
    originals = torch.zeros(3, 3, 4, 4)
    originals[:, 0] = 1  # red
    shown = pixels(mosaic.pairs(originals, originals.flip(1), (0.0, 1.0), 3))
    assert shown[3, 3].tolist() == [255, 0, 0, 255]
    assert shown[-3, 3].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize("count", [30, 1_500])
def test_the_distances_in_the_picture_are_those_of_the_metric(count: int, theme: Any) -> None:
    given = specimen((6,), count=count)
    given = replace(given, data=given.data + 3 * given.codes.repeat(1, 2))
    figures = otae.metrics.create("distortion")(given)
    figure = distances.distances(given.codes, given.data, given.seed, theme, "codes", "data")
    assert figure.axes[0].get_title(loc="left") == f"correlation {figures['correlation']:.3f}"


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        (summary.number, 0.5, "0.5000"),
        (summary.number, 123456.4, "123,456"),
        (summary.number, -1.5e-7, "-1.500e-07"),
        (summary.number, 0.0, "0.000"),
        (summary.duration, 0.2, "0 s"),
        (summary.duration, 71, "1 min 11 s"),
        (summary.duration, 7_325, "2 h 2 min"),
        (summary.weight, 10.0, "10"),
        (summary.weight, Schedule(start=0, to=0.5, epochs=2), "0 → 0.5 over 2 epochs"),
    ],
)
def test_numbers_are_written_for_people(function: Callable[[Any], str], value: Any, expected: str) -> None:
    assert function(value) == expected
