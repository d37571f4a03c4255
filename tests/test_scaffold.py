"""`otae new`: what it writes works as it is, of each kind, and what it cannot write it refuses."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
from environments import ROOT, Environment, called, fresh
from typer.testing import CliRunner, Result

import otae
from otae.build import Shape, build
from otae.cli.app import app
from otae.scaffold import KINDS, Project


def written(kind: str, name: str, *options: str | Path) -> Result:
    """Returns what `otae new` said."""
    return CliRunner().invoke(app, ["new", kind, name, *map(str, options)])


def points(project: Path) -> str:
    """Returns the entry points of a project, as an installer would write them."""
    groups = tomllib.loads((project / "pyproject.toml").read_text())["project"]["entry-points"]
    return "\n".join(
        f"[{group}]\n" + "\n".join(f"{key} = {value}" for key, value in offers.items())
        for group, offers in groups.items()
    )


def core() -> dict[Path, str]:
    """Returns a fingerprint of every file of the core."""
    files = (path for path in (ROOT / "otae").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def projects(
    tmp_path: Path, install: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], dict[str, Path]]]:
    """Returns a function that writes a project of each kind and puts them where a developer's installation would."""

    def write(stem: str) -> dict[str, Path]:
        folders = {kind: tmp_path / kind for kind in KINDS}
        for kind, folder in folders.items():
            name = f"{stem}-{kind}"
            assert written(kind, name, "--output", folder).exit_code == 0
            install(f"otae_{name.replace('-', '_')}", points(folder), version="0.1.0")
            monkeypatch.syspath_prepend(folder / "src")
        return folders

    before = set(sys.modules)
    yield write
    for name in {each for each in set(sys.modules) - before if each.startswith("otae_")}:
        del sys.modules[name]


@pytest.mark.slow
def test_what_is_written_passes_its_own_tests(projects: Callable[[str], dict[str, Path]], tmp_path: Path) -> None:
    folders = projects("my")
    path = os.pathsep.join(map(str, [tmp_path / "site", *(folder / "src" for folder in folders.values())]))
    tests = [folder / part for folder in folders.values() for part in ("tests", "src")]
    options = ["-v", "-p", "no:cacheprovider", "-c", folders["prior"] / "pyproject.toml", "--rootdir", tmp_path]
    ended = called(sys.executable, "-m", "pytest", *options, *tests, cwd=tmp_path, PYTHONPATH=path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for kind in KINDS:
        assert f"{kind}/tests/test_my_{kind}.py::" in ended.stdout
        assert kind == "recipe" or f"my_{kind}.py::otae_" in ended.stdout, "its example runs"


@pytest.mark.parametrize("stem", ["my", "a-name-of-thirty-letters-or-so"])
def test_what_is_written_keeps_to_its_own_style(tmp_path: Path, stem: str) -> None:
    pytest.importorskip("ruff", reason="ruff is not installed")
    for kind in KINDS:
        written(kind, f"{stem}-{kind}", "--output", tmp_path / kind)
    for command in (["check"], ["format", "--check"]):
        ended = called(sys.executable, "-m", "ruff", *command, "--no-cache", tmp_path, cwd=tmp_path)
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
def test_new_parts_are_trained_by_name_and_touch_no_file_of_the_core(
    projects: Callable[[str], dict[str, Path]],
) -> None:
    before = core()
    projects("new")
    names = {f"model.{kind}=new-{kind}" for kind in ("encoder", "decoder", "prior")}
    merge = ["objective.merge.cost=new-cost", "objective.merge.source=code", "objective.merge.target=prior"]
    experiment = otae.load_config("gwae", [*names, *merge, "data.name=new-dataset"])
    dataset = otae.datasets.create("new-dataset")
    parts = build(experiment, Shape(dataset.data_shape, dataset.value_range))
    losses = parts.objective(parts.model, dataset.__getitems__(range(8)))
    losses.total.backward()
    assert torch.isfinite(losses.total)
    assert all(parameter.grad is not None for parameter in parts.model.parameters())
    assert core() == before


@pytest.mark.slow
def test_every_command_that_is_told_resolves(projects: Callable[[str], dict[str, Path]]) -> None:
    plans = [Project.of(kind, f"told-{kind}") for kind in KINDS]
    projects("told")
    for plan in plans:
        _, _, config, *options = plan.command.split()
        assert otae.load_config(config, options[1:]).objective, plan.command


@pytest.mark.parametrize("kind", KINDS)
def test_the_folder_and_the_command_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    result = written(kind, "my-own")
    project = Project.of(kind, "my-own")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].strip() == project.command
    folder = tmp_path / "otae-my-own"
    assert {path.name for path in tmp_path.iterdir()} == {"otae-my-own"}
    assert project.command in (folder / "README.md").read_text()
    assert (folder / "src" / "otae_my_own" / "py.typed").is_file()
    assert "__pycache__/" in (folder / ".gitignore").read_text()
    assert f"otae>={version('otae')}" in (folder / "pyproject.toml").read_text()
    assert "{" + "{" not in "".join(project.files().values())


@pytest.mark.parametrize(("name", "cls"), [("tensor", "TensorPrior"), ("prior", "PriorPrior"), ("t5", "T5")])
def test_a_class_does_not_hide_what_its_file_imports(name: str, cls: str) -> None:
    files = Project.of("prior", name).files()
    assert f"class {cls}(Prior)" in files[f"src/otae_{name}/{name}.py"]
    assert f'{name} = "otae_{name}:{cls}"' in files["pyproject.toml"]


@pytest.mark.parametrize(("kind", "name", "message"), [
    ("prior", "My-Prior", "'My-Prior' is no plugin's name. Write it in kebab-case, as my-prior"),
    ("prior", "my_prior", "is no plugin's name"),
    ("prior", "my--prior", "is no plugin's name"),
    ("prior", "2d", "is no plugin's name"),
    ("prior", "my-prior\n", "is no plugin's name"),
    ("prior", "../prior", "is no plugin's name"),
    ("prior", "a" * 41, "at most 40"),
    ("cost", "lambda", "'lambda' is a keyword of Python"),
    ("cost", "none", "'none' is a keyword of Python"),
    ("cost", "yes", "'yes' is no text in YAML"),
    ("prior", "mixture", "The prior 'mixture' is offered by otae 0.1.0 already"),
    ("cost", "mean-gap", "The cost 'mean-gap' is offered by session already"),
    ("recipe", "gwae", "The recipe 'gwae' is offered by otae 0.1.0 already"),
    ("prior", "priors", "The package 'otae_priors' is installed already"),
    ("priro", "mine", "No kind of plugin named 'priro' … Did you mean 'prior'"),
])  # fmt: skip
def test_what_cannot_be_written_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = written(kind, name)
    assert result.exit_code == 2
    told = " ".join(result.stderr.split())
    assert all(part in told for part in message.split(" … ")), told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["there", "file/deep"])
def test_a_folder_that_cannot_be_made_is_left_as_it_is(tmp_path: Path, output: str) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("kept")
    result = written("prior", "my-prior", "--output", tmp_path / output)
    assert result.exit_code == 2
    assert "by --output" in " ".join(result.stderr.split())
    assert {path.name for path in tmp_path.rglob("*")} == {"there", "file"}
    assert (tmp_path / "file").read_text() == "kept"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Returns a fresh environment with otae and what its plugins are tested with."""
    return fresh(tmp_path_factory.mktemp("home"), ROOT, extras="pytest jsonschema")


@pytest.mark.slow
@pytest.mark.xdist_group("scaffold")  # one environment for all
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_installed_tested_and_trained_as_it_is(environment: Environment, kind: str) -> None:
    told = environment.run("otae", "new", kind, f"my-{kind}").stdout.splitlines()
    folder, command = environment.home / f"otae-my-{kind}", shlex.split(told[-1])
    environment.run("pip", "install", "-c", ROOT / "constraints.txt", "-e", folder)
    tests = Environment(environment.path, folder, ()).run("pytest", "-p", "no:cacheprovider").stdout
    assert "passed" in tests
    run = environment.home / f"run-{kind}"
    environment.run(*command, "--set", "training.epochs=1", "--output", run, "--quiet")
    used: dict[str, Any] = json.loads((run / "provenance.json").read_text())["plugins"]
    judged = json.loads((run / "evaluation.json").read_text())["figures"]["test"]
    title = f"my-{kind}"
    assert title in {each["name"] for each in used.values()} | {*judged} | {command[-1]}
    assert (run / "report.html").is_file()
