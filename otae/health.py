"""Whether a plugin could be imported, judged from its source without importing it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

from .discovery import Offer


def fault(offer: Offer) -> str | None:
    """Returns why an offer cannot be imported, as far as its source tells, or `None`.

    A missing module, a syntax error and a missing dependency are found so; what fails only while it runs is not.

    Args:
        offer: The offer to judge.
    """
    module = offer.value.partition(":")[0].strip()
    path = find_source(module)
    if path is None:
        return f"no module {module!r}"
    return next(_faults(path, module if path.name == "__init__.py" else module.rpartition(".")[0], {path}), None)


@cache
def find_source(module: str) -> Path | None:
    """Returns the file of a module, which is not imported, or `None` where there is none.

    Args:
        module: Its full name.
    """
    search: list[str] | None = None
    path: Path | None = None
    for depth in range(1, module.count(".") + 2):
        spec = PathFinder.find_spec(".".join(module.split(".")[:depth]), search)
        if spec is None:
            return None
        search = list(spec.submodule_search_locations or [])
        path = Path(spec.origin) if spec.origin else Path(next(iter(search), "."))
    return path


def _faults(path: Path, package: str, seen: set[Path]) -> Iterator[str]:
    if path.suffix != ".py":
        return  # a compiled or namespace module cannot be read
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as error:
        yield f"{path.name}, line {error.lineno}: {error.msg}"
        return
    for node in tree.body:  # top level only: what a function imports is needed later, if ever
        match node:
            case ast.Import(names=names):
                yield from (f"needs {top!r}, which is not installed" for top in _missing(n.name for n in names))
            case ast.ImportFrom(module=str(name), level=0):
                yield from (f"needs {top!r}, which is not installed" for top in _missing([name]))
            case ast.ImportFrom(module=str(name), level=level):
                parent = package.rsplit(".", level - 1)[0] if level > 1 else package
                sibling = find_source(f"{parent}.{name}")
                if sibling is None:
                    yield f"no module {f'{parent}.{name}'!r}"
                elif sibling not in seen:
                    seen.add(sibling)
                    inner = (
                        f"{parent}.{name}" if sibling.name == "__init__.py" else f"{parent}.{name}".rpartition(".")[0]
                    )
                    yield from _faults(sibling, inner, seen)


def _missing(names: Iterator[str] | list[str]) -> Iterator[str]:
    tops = (name.partition(".")[0] for name in names)
    return (top for top in tops if not _importable(top))


@cache
def _importable(top: str) -> bool:
    return top in sys.builtin_module_names or top in sys.modules or find_spec(top) is not None
