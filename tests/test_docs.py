"""The documentation: the guide's blocks run, its tests pass, and every command that a page names exists."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
import yaml

import otae
from otae.cli.app import app
from otae.registry import registries

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group has commands


def blocks(page: Path, language: str) -> list[str]:
    """Returns the code blocks of a page that are in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def commands() -> Iterator[Any]:
    """Yields every command of otae in the pages' console blocks, as words."""
    for page in PAGES:
        for line in (line for block in blocks(page, "console") for line in block.splitlines()):
            for part in line.removeprefix("$ ").split("&&"):
                words = shlex.split(part, comments=True)
                if line.startswith("$ ") and words[:1] == ["otae"]:
                    yield pytest.param(words[1:], id=f"{page.stem}: {' '.join(words)}")


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """Returns the guide's Python blocks as a module, run one after the other."""
    module = sys.modules["the_guide"] = ModuleType("the_guide")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("guide"))
        for block in blocks(ROOT / "docs" / "plugin.md", "python"):
            exec(compile(block, "docs/plugin.md", "exec", dont_inherit=True), module.__dict__)
        yield module
    for registry in registries().values():
        for offer in registry.offers():
            if offer.value.startswith("the_guide:"):
                registry.unregister(offer.name)
    del sys.modules["the_guide"]


@pytest.mark.slow
def test_the_guide_trains_what_it_writes(guide: ModuleType) -> None:
    assert guide.run.experiment.objective["merge"].cost.name == "my-duel"
    assert (guide.run.path / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["TestLaplace", "TestMeanGap", "TestDuel"])
def test_what_the_guide_writes_keeps_the_rules(guide: ModuleType, name: str) -> None:
    suite = getattr(guide, name)
    rules = [each for each in dir(suite) if each.startswith("test_")]
    plain = [each for each in rules if getattr(suite, each).__code__.co_argcount == 1]
    assert len(plain) > 15
    for rule in plain:
        try:
            getattr(suite(), rule)()
        except pytest.skip.Exception:
            continue


@pytest.mark.slow
def test_the_recipe_of_the_guide_resolves(guide: ModuleType) -> None:
    (recipe,) = blocks(ROOT / "docs" / "plugin.md", "yaml")
    experiment = otae.load_config(yaml.safe_load(recipe))
    assert (experiment.model.prior.name, experiment.training.epochs) == ("my-laplace", 20)


def test_the_site_needs_nothing_from_elsewhere() -> None:
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "://" not in settings
    assert "font: false" in settings


@pytest.mark.parametrize("words", [*commands()])
def test_a_command_of_the_pages_exists_with_its_options(words: list[str]) -> None:
    command = COMMANDS.get(words[0]) if not words[0].startswith("-") else None
    options = {option for each in (command.params if command else ()) for option in each.opts}
    known = options | {"--help", "-h", "--debug", "--version", "--install-completion"}
    assert command is not None or words[0] in known, words
    assert {word.partition("=")[0] for word in words if re.match("--?[a-z]", word)} <= known


@pytest.mark.parametrize("words", [each for each in commands() if each.values[0][0] == "train"])
def test_a_training_of_the_pages_resolves(words: list[str]) -> None:
    overrides = [value for option, value in pairwise(words) if option in ("--set", "-s")]
    if "my-" in " ".join(words) or words[1].endswith((".yaml", "/")) or "/" in words[1]:
        pytest.skip("it is about a plugin or a file of the reader's own")
    assert otae.load_config(words[1], overrides).objective


@pytest.mark.parametrize("words", [each for each in commands() if each.values[0][0] == "show"])
def test_what_the_pages_show_is_there(words: list[str]) -> None:
    if words[2].startswith("my-"):
        pytest.skip("it is about a plugin of the reader's own")
    assert words[1] == "recipe" or words[2] in registries()[words[1]].names()
