"""The public door: the example plugin is built, installed into a fresh environment, and trained with by name."""

from __future__ import annotations

import json
import os
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from environments import ROOT, Environment, called, fresh

pytestmark = pytest.mark.xdist_group("example")  # one environment for all

EXAMPLE = ROOT / "examples" / "otae-example-plugin"
PROJECT = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Returns a fresh environment with the wheels of otae and of the example."""
    return fresh(tmp_path_factory.mktemp("home"), ROOT, EXAMPLE)


@pytest.fixture(scope="module")
def run(environment: Environment) -> Path:
    """Returns the folder of a run that was trained with the example's prior and cost."""
    folder = environment.home / "run"
    environment.run(
        "otae", "train", "gwae", "--output", folder, "--quiet",
        "--set", "training.epochs=1",
        "--set", "model.prior.name=laplace", "--set", "model.prior.variance=2",
        "--set", "objective.merge.cost=moments",
    )  # fmt: skip
    return folder


@pytest.fixture
def _uninstalled(environment: Environment, run: Path) -> Iterator[None]:
    """Takes the example out of the environment for one test."""
    environment.run("pip", "uninstall", "--yes", PROJECT["name"])
    yield
    environment.run("pip", "install", "--no-deps", "--no-index", environment.wheels[1])


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), [("prior", "laplace"), ("cost", "moments")])
class TestInstalled:
    def test_it_is_listed_with_its_distribution_and_version(
        self, environment: Environment, kind: str, name: str
    ) -> None:
        rows = json.loads(environment.run("otae", "list", "--json").stdout)
        (row,) = [row for row in rows if (row["kind"], row["name"]) == (kind, name)]
        assert (row["distribution"], row["version"]) == (PROJECT["name"], PROJECT["version"])
        assert row["problem"] is None

    def test_it_is_shown_with_its_options(self, environment: Environment, kind: str, name: str) -> None:
        shown = environment.run("otae", "show", kind, name).stdout
        assert f"{PROJECT['name']} {PROJECT['version']}" in shown
        assert "site-packages" in shown, "it is the installed one"
        assert {"prior": "> 0", "cost": "≥ 0"}[kind] in shown


@pytest.mark.slow
def test_a_run_trained_by_name_is_complete(run: Path) -> None:
    expected = {"config.yaml", "model.safetensors", "provenance.json", "metrics.csv", "evaluation.json", "report.html"}
    assert expected <= {path.name for path in run.iterdir()}


@pytest.mark.slow
def test_a_run_records_the_distribution_and_version(run: Path) -> None:
    used: dict[str, Any] = json.loads((run / "provenance.json").read_text(encoding="utf-8"))["plugins"]
    for place, name in (("model.prior", "laplace"), ("objective.merge.cost", "moments")):
        assert used[place] == {"name": name, "distribution": PROJECT["name"], "version": PROJECT["version"]}


@pytest.mark.slow
def test_a_run_reloads_in_a_fresh_process(environment: Environment, run: Path) -> None:
    program = "import otae, sys; model = otae.load(sys.argv[1]); print(model.prior, tuple(model.sample(3).shape))"
    printed = environment.run("python", "-c", program, run).stdout
    assert "Laplace(variance=2)" in printed
    assert "(3, 1, 8, 8)" in printed


@pytest.mark.slow
@pytest.mark.usefixtures("_uninstalled")
def test_a_run_whose_plugin_is_gone_names_the_distribution(environment: Environment, run: Path) -> None:
    ended = environment.run("otae", "sample", run, "--output", "samples.npy", status=2)
    assert "No plugin named 'laplace' in 'otae.priors'" in ended.stderr
    assert f"{PROJECT['name']}=={PROJECT['version']}" in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert not (environment.home / "samples.npy").exists()


@pytest.mark.slow
def test_the_wheel_holds_the_core_and_the_plugins_and_no_more(environment: Environment) -> None:
    names = zipfile.ZipFile(environment.wheels[0]).namelist()
    held = {name for name in names if ".dist-info/" not in name}
    core = [path.relative_to(ROOT) for path in (ROOT / "otae").rglob("*")]
    plugins = [path.relative_to(ROOT / "plugins") for path in (ROOT / "plugins").glob("otae_*/**/*")]
    expected = {path for path in (*core, *plugins) if path.suffix and "__pycache__" not in path.parts}
    assert held == {path.as_posix() for path in expected}
    assert {"otae/py.typed", "otae_recipes/gwae.yaml"} <= held
    assert any(name.startswith("otae/report/") and name.endswith(".jinja") for name in held)


@pytest.mark.slow
def test_the_environment_is_sound_and_keeps_to_the_constraints(environment: Environment) -> None:
    environment.run("pip", "check")
    frozen = environment.run("pip", "freeze", "--exclude", "otae", "--exclude", PROJECT["name"]).stdout
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").casefold().splitlines()
    assert {line.partition("+")[0].casefold() for line in frozen.splitlines()} <= {*pins}


@pytest.mark.slow
def test_its_own_tests_pass(install: Callable[..., Path]) -> None:
    sections = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in offers.items())])
        for group, offers in PROJECT["entry-points"].items()
    ]
    site = install(PROJECT["name"].replace("-", "_"), "\n".join(sections), version=PROJECT["version"])
    path = os.pathsep.join(map(str, (EXAMPLE / "src", site)))
    ended = called(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", cwd=EXAMPLE, PYTHONPATH=path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
