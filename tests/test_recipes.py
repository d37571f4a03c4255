"""The recipes: each states its paper, trains and reloads, and the default one keeps its promises on real digits."""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from itertools import product
from pathlib import Path
from statistics import median
from types import ModuleType

import pytest
import torch
from marks import rest_slow
from typer.testing import CliRunner

from otae.cli.app import app
from otae.evaluation import evaluate
from otae.loading import load_config
from otae.recipes import recipes
from otae.run import Run
from otae.training import fit
from otae.yaml_values import read_yaml

ROOT = Path(__file__).parents[1]
RECIPES = {recipe.name: recipe for recipe in recipes() if recipe.offer.distribution == "otae"}
LARGE = [name for name in RECIPES if name.endswith("-64")]
SMALL = [name for name in RECIPES if name not in LARGE]
VARIANTS = [name for name in RECIPES if re.match("gwae-[a-z]", name)]
MMD_FOR_CRITIC = [
    "objective.merge.cost=mmd",
    "objective.merge.source=code",
    "objective.merge.target=prior",
    "training.optimizer=adam",
]


def trained(path: Path, name: str, *overrides: str) -> Run:
    """Returns a run of a recipe, trained and not evaluated."""
    run = Run.create(path, load_config(name, overrides))
    fit(run)
    return run


def test_every_model_is_a_recipe() -> None:
    models = """
        ae wae-mmd wae-gan aae swae max-swae generalized-swae sinkhorn-ae cwae gaussian-wae rae infovae vae beta-vae
        vamp-vae gwae gwae-factorized gwae-mixture gwae-causal gw-ae gromov-monge
    """
    assert set(models.split()) <= set(SMALL)
    assert {f"{name}-64" for name in SMALL} == set(LARGE)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_what_it_is_and_names_its_paper_and_year_in_its_first_line(name: str) -> None:
    summary = RECIPES[name].summary
    assert 40 < len(summary) < 100
    assert re.search(r"\([A-Z][^()]+, (19|20)\d\d\)", summary)


@pytest.mark.parametrize("name", rest_slow(SMALL, 7, spread=True))
def test_a_recipe_trains_saves_and_reloads(tmp_path: Path, name: str) -> None:
    run = trained(tmp_path / "run", name, "training.epochs=1", "data.batch_size=420")
    model = Run(run.path).model
    samples = model.sample(5, generator=torch.Generator().manual_seed(0))
    assert samples.shape == (5, 1, 8, 8)
    assert torch.isfinite(samples).all()


@pytest.mark.parametrize("name", rest_slow(LARGE, 2, spread=True))
def test_a_recipe_for_larger_images_takes_steps(tmp_path: Path, name: str) -> None:
    run = trained(
        tmp_path / "run", name, "data.count=16", "data.batch_size=4", "data.validation=0.2", "training.epochs=1"
    )
    images = run.model.sample(2, generator=torch.Generator().manual_seed(0))
    assert images.shape == (2, 3, 64, 64)
    assert torch.isfinite(images).all()


@pytest.mark.parametrize("name", LARGE)
def test_a_recipe_for_larger_images_is_the_plain_one_but_for_sizes_and_weights(name: str) -> None:
    large, small = (load_config(each) for each in (name, name.removesuffix("-64")))
    assert large.model.encoder.name == large.model.decoder.name == "conv"
    assert large.model.encoder.options["noise"] == small.model.encoder.options["noise"]
    assert large.model.prior == small.model.prior
    assert [(each.cost.name, each.source, each.target) for each in large.objective.values()] == [
        (each.cost.name, each.source, each.target) for each in small.objective.values()
    ]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_of_gwae_changes_the_prior_alone_and_its_file_says_so(name: str) -> None:
    if name == "gwae-64":
        pytest.skip("it is the base of the larger ones")
    own = read_yaml(RECIPES[name].path.read_text(encoding="utf-8"), name)
    base = own.pop("extends")
    assert base in {"gwae", "gwae-64"}
    assert own.keys() == {"model"}
    assert own["model"].keys() == {"prior"}
    values, reference = (load_config(each).to_dict() for each in (name, base))
    assert values["model"].pop("prior")["name"] != reference["model"].pop("prior")["name"]
    assert values == reference


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Returns the script that measures the recipes."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.delitem(sys.modules, "recipes", raising=False)
    return import_module("recipes")


def test_the_table_in_the_documentation_is_that_of_the_results(table: ModuleType) -> None:
    written = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
    assert table.page(written, table.held()) == written
    assert {row["model"] for row in table.held() if not row["model"].startswith("Pythae")} <= set(SMALL)


def test_the_results_are_those_of_the_recipes_as_they_are(table: ModuleType) -> None:
    mine = [row for row in table.held() if row["model"] in SMALL]
    assert [row["model"] for row in mine if row["configuration"] != table.digest(load_config(row["model"]))] == []


def test_a_row_takes_the_place_of_one_of_the_same_model_and_seed(tmp_path: Path, table: ModuleType) -> None:
    path, rows = tmp_path / "found.json", [{"model": "b", "seed": 0}, {"model": "a", "seed": 1, "seconds": 1.0}]
    for row in [*rows, {"model": "a", "seed": 1, "seconds": 2.0}]:
        table.add(row, path)
    assert json.loads(path.read_text(encoding="utf-8"))["rows"] == [{"model": "a", "seed": 1, "seconds": 2.0}, rows[0]]


@pytest.mark.parametrize("overrides", rest_slow([
    ["model.prior.name=mixture", "model.prior.components=10", "seed=7"],
    MMD_FOR_CRITIC,
    ["model.encoder=conv", "model.decoder=conv", "model.latent_dim=4"],
], 0), ids=["prior", "discrepancy", "networks"])  # fmt: skip
def test_parts_are_swapped_from_the_command_line(tmp_path: Path, overrides: list[str]) -> None:
    settings = [word for override in [*overrides, "training.epochs=1"] for word in ("--set", override)]
    result = CliRunner().invoke(app, ["train", "gwae", *settings, "--quiet", "--output", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run" / "report.html").is_file()


@pytest.mark.slow
def test_gwae_beats_pca_on_digits_in_reconstruction_and_in_samples(tmp_path: Path) -> None:
    runs = [trained(tmp_path / str(seed), "gwae", f"seed={seed}") for seed in range(3)]
    figures = [evaluate(run, metrics=["reconstruction", "frechet"]) for run in runs]
    for split, metric in product(("test", "all"), ("reconstruction", "frechet")):
        assert median(each[split][metric]["ratio"] for each in figures) <= 0.6
