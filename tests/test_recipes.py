"""The recipes: each trains, swaps and reloads, and the default one keeps its promises on real digits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from otae.cli.app import app
from otae.evaluation import evaluate
from otae.loading import load_config
from otae.recipes import recipes
from otae.run import Run
from otae.training import fit

NAMES = [recipe.name for recipe in recipes() if recipe.offer.distribution == "otae"]
GWAE = [name for name in NAMES if name.startswith("gwae")]
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


def test_there_are_recipes() -> None:
    assert {"gwae", "gwae-factorized", "gwae-mixture", "wae-mmd", "wae-gan", "vae"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_says_what_it_is_in_its_first_line(name: str) -> None:
    summary = next(recipe.summary for recipe in recipes() if recipe.name == name)
    assert 40 < len(summary) < 130


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_trains_saves_and_reloads(tmp_path: Path, name: str) -> None:
    run = trained(tmp_path / "run", name, "training.epochs=1")
    model = Run(run.path).model
    samples = model.sample(5, generator=torch.Generator().manual_seed(0))
    assert samples.shape == (5, 1, 8, 8)
    assert torch.isfinite(samples).all()


@pytest.mark.parametrize("name", GWAE)
def test_the_gwae_recipes_differ_in_the_prior_alone(name: str) -> None:
    values, reference = (load_config(each).to_dict() for each in (name, "gwae"))
    assert (values["model"].pop("prior")["name"] == reference["model"].pop("prior")["name"]) == (name == "gwae")
    assert values == reference


@pytest.mark.parametrize("overrides", [
    ["model.prior.name=mixture", "model.prior.components=10", "seed=7"],
    MMD_FOR_CRITIC,
    ["model.encoder=conv", "model.decoder=conv", "model.latent_dim=4"],
], ids=["prior", "discrepancy", "networks"])  # fmt: skip
def test_parts_are_swapped_from_the_command_line(tmp_path: Path, overrides: list[str]) -> None:
    settings = [word for override in [*overrides, "training.epochs=1"] for word in ("--set", override)]
    result = CliRunner().invoke(app, ["train", "gwae", *settings, "--quiet", "--output", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run" / "report.html").is_file()


@pytest.mark.slow
def test_gwae_beats_pca_on_digits_in_reconstruction_and_in_samples(tmp_path: Path) -> None:
    figures = evaluate(trained(tmp_path / "run", "gwae"), ["reconstruction", "frechet"])
    for split in ("test", "all"):
        assert figures[split]["reconstruction"]["ratio"] <= 0.6
        assert figures[split]["frechet"]["ratio"] <= 0.6
