"""The house rules that can be read off the files: one directed graph, a core without plugins, short modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLUGINS = {path.name for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists()}
FOLDERS = ("otae", "plugins", "tests", "benchmarks", "examples")
FILES = {str(path.relative_to(ROOT)): path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))}
CORE = [name for name in FILES if name.startswith("otae/")]
LAYERS = [
    "errors", "modules", "cloud", "interfaces", "nested", "signature", "cures", "names", "registry", "faults", "contracts",
    "budget", "health", "reductions", "transport", "autoencoder", "clouds", "views", "schedule", "term_rules", "objective",
    "config", "optimizers", "overrides", "build", "differences", "recipes", "extending", "loading", "schema", "files",
    "fetching", "lock", "folder", "weights", "comparison", "provenance", "fingerprint", "kept_data", "run", "training",
    "evaluation", "report", "workflow", "study", "scaffold", "diagnosis", "cli", "__main__",
]  # fmt: skip
PUBLIC = ("otae.interfaces", "otae.cloud", "otae.errors", "otae.modules", "otae.reductions", "otae.transport")


def module(name: str) -> str:
    """Returns the module that a file is, as it is imported."""
    return name.removeprefix("plugins/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {module(name): name for name in FILES if name.startswith(("otae/", "plugins/"))}


def imports(name: str) -> Iterator[str]:
    """Yields the full name of all that a file imports, wherever it stands: `from .a import b` gives `otae.a.b`."""
    package = module(name).split(".") if name.endswith("__init__.py") else module(name).split(".")[:-1]
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) + 1 - node.level] if node.level else []
            yield from (".".join([*parents, *filter(None, [node.module]), alias.name]) for alias in node.names)


def imported_modules(name: str) -> set[str]:
    """Returns the modules of ours that a file imports: the longest name that is one."""
    return {next((found for found in _ancestors(each) if found in MODULES), "") for each in imports(name)} - {""}


def _ancestors(dotted: str) -> Iterator[str]:
    while dotted:
        yield dotted
        dotted = dotted.rpartition(".")[0]


def test_every_part_of_the_core_has_its_layer() -> None:
    parts = {module(name).split(".")[1] for name in CORE if name != "otae/__init__.py"}
    assert parts == {*LAYERS, "testing"}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_from_those_above_it(layer: str) -> None:
    allowed = {layer, *LAYERS[: LAYERS.index(layer)]}
    for name in CORE:
        if module(name).split(".")[1:2] == [layer]:
            found = {each.split(".")[1] for each in imported_modules(name) if each.startswith("otae.")}
            assert found <= allowed, name


def test_no_import_runs_in_a_circle() -> None:
    graph = {module(name): imported_modules(name) - {module(name)} for name in MODULES.values()}
    assert set(TopologicalSorter(graph).static_order()) >= set(MODULES)


@pytest.mark.parametrize("name", CORE)
def test_the_core_names_no_plugin_package(name: str) -> None:
    text = FILES[name].read_text(encoding="utf-8")
    assert [plugin for plugin in PLUGINS if plugin in text] == []


@pytest.mark.parametrize("name", [name for name in CORE if not name.startswith("otae/testing/")])
def test_the_core_never_imports_what_is_there_for_tests(name: str) -> None:
    assert not any(each.startswith("otae.testing") for each in imported_modules(name))


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("plugins/")])
def test_a_plugin_imports_only_the_public_door_and_itself(name: str) -> None:
    own = module(name).partition(".")[0]
    assert own in PLUGINS
    strangers = {each for each in imports(name) if each.partition(".")[0] in {"otae", *PLUGINS} - {own}}
    assert {each for each in strangers if not each.startswith(PUBLIC)} == set()


@pytest.mark.parametrize("name", FILES)
def test_no_file_needs_torchvision(name: str) -> None:
    assert not any(each.partition(".")[0] == "torchvision" for each in imports(name))


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_short_and_opens_with_a_sentence(name: str) -> None:
    text = FILES[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    tree = ast.parse(text)
    docstring = ast.get_docstring(tree)
    assert docstring
    assert docstring.split("\n\n")[0].rstrip().endswith((".", "`"))
    assert len(tree.body) == 1 or "from __future__ import annotations\n" in text
