"""The house rules that can be read off the files: one directed graph, a core without plugins, short modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLUGINS = {path.name for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists()}
FOLDERS = ("otae", "plugins", "tests", "benchmarks", "examples")
FILES = {str(path.relative_to(ROOT)): path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))}
CORE = [name for name in FILES if name.startswith("otae/")]
LAYERS = [
    "errors", "notebook", "modules", "cloud", "interfaces", "yaml_values", "explanation", "nested", "signature", "cures", "names",
    "discovery", "registry", "faults", "contracts", "budget", "health", "reductions", "transport", "arrays", "autoencoder",
    "collectives", "draws", "laws", "share", "chunks", "split_costs", "clouds", "views", "schedule", "term_rules", "term",
    "objective", "config", "optimizers", "overrides", "build", "splits",
    "differences", "recipes", "extending", "loading", "schema", "files", "fetching", "lock", "folder", "weights", "comparison",
    "provenance", "hub", "fingerprint", "kept_data", "run", "training", "evaluation", "report", "publishing", "exporting",
    "workflow", "sklearn", "study", "scaffold", "diagnosis", "cli", "__main__",
]  # fmt: skip
PUBLIC = ("otae.interfaces", "otae.cloud", "otae.errors", "otae.modules", "otae.reductions", "otae.transport")


def module(name: str) -> str:
    """Returns the module that a file is, as it is imported."""
    return name.removeprefix("plugins/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {module(name): name for name in FILES if name.startswith(("otae/", "plugins/"))}


@cache
def text(name: str) -> str:
    """Returns what a file says."""
    return FILES[name].read_text(encoding="utf-8")


@cache
def tree(name: str) -> ast.Module:
    """Returns a file's syntax tree."""
    return ast.parse(text(name))


@cache
def imports(name: str) -> tuple[str, ...]:
    """Returns the full name of all that a file imports, wherever it stands: `from .a import b` gives `otae.a.b`."""
    return tuple(_imports(name))


def _imports(name: str) -> Iterator[str]:
    package = module(name).split(".") if name.endswith("__init__.py") else module(name).split(".")[:-1]
    for node in ast.walk(tree(name)):
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


def test_a_layer_imports_only_from_those_above_it() -> None:
    for name in CORE:
        layer = module(name).partition(".")[2].partition(".")[0]
        if layer in LAYERS:
            allowed = {layer, *LAYERS[: LAYERS.index(layer)]}
            found = {each.split(".")[1] for each in imported_modules(name) if each.startswith("otae.")}
            assert found <= allowed, name


def test_no_import_runs_in_a_circle() -> None:
    graph = {module(name): imported_modules(name) - {module(name)} for name in MODULES.values()}
    assert set(TopologicalSorter(graph).static_order()) >= set(MODULES)


def test_the_core_names_no_plugin_package() -> None:
    assert {name for name in CORE if any(plugin in text(name) for plugin in PLUGINS)} == set()


def test_the_core_never_imports_what_is_there_for_tests() -> None:
    core = [name for name in CORE if not name.startswith("otae/testing/")]
    assert {name for name in core if any(each.startswith("otae.testing") for each in imported_modules(name))} == set()


def test_a_plugin_imports_only_the_public_door_and_itself() -> None:
    for name in FILES:
        if name.startswith("plugins/"):
            own = module(name).partition(".")[0]
            assert own in PLUGINS, name
            strangers = {each for each in imports(name) if each.partition(".")[0] in {"otae", *PLUGINS} - {own}}
            assert {each for each in strangers if not each.startswith(PUBLIC)} == set(), name


def test_no_file_needs_torchvision() -> None:
    found = {name for name in FILES if any(each.partition(".")[0] == "torchvision" for each in imports(name))}
    assert found == set()


def test_a_file_is_short() -> None:
    lengths = {name: len(text(name).splitlines()) for name in FILES}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_a_file_opens_with_a_sentence() -> None:
    docstrings = {name: ast.get_docstring(tree(name)) or "" for name in FILES}
    sentences = {name: docstring.split("\n\n")[0].rstrip() for name, docstring in docstrings.items()}
    assert {name for name, sentence in sentences.items() if not sentence.endswith((".", "`"))} == set()


def test_a_file_postpones_its_annotations() -> None:
    with_code = {name for name in FILES if len(tree(name).body) > 1}
    assert {name for name in with_code if "from __future__ import annotations\n" not in text(name)} == set()
