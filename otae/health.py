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
    try:
        imports = _read_imports(path)
    except SyntaxError as error:
        yield f"{path.name}, line {error.lineno}: {error.msg}"
        return
    for name, level in imports:
        if level == 0:
            yield from (f"needs {top!r}, which is not installed" for top in _missing([name]))
            continue
        parent = package.rsplit(".", level - 1)[0] if level > 1 else package
        sibling = find_source(f"{parent}.{name}")
        if sibling is None:
            yield f"no module {f'{parent}.{name}'!r}"
        elif sibling not in seen:
            seen.add(sibling)
            inner = f"{parent}.{name}" if sibling.name == "__init__.py" else f"{parent}.{name}".rpartition(".")[0]
            yield from _faults(sibling, inner, seen)


def _read_imports(path: Path) -> tuple[tuple[str, int], ...]:
    if path.suffix != ".py":
        return ()  # a compiled or namespace module cannot be read
    return _parse_imports(path, path.stat().st_mtime_ns)


@cache
def _parse_imports(path: Path, changed: int) -> tuple[tuple[str, int], ...]:  # noqa: ARG001 - the cache's key
    """Returns the modules that a file imports at its top level, each with the number of dots before it.

    What a function imports is needed later, if ever.
    """
    found: list[tuple[str, int]] = []
    for node in ast.parse(path.read_bytes()).body:
        match node:
            case ast.Import(names=names):
                found += [(each.name, 0) for each in names]
            case ast.ImportFrom(module=str(name), level=level):
                found.append((name, level))
    return tuple(found)


def _missing(names: Iterator[str] | list[str]) -> Iterator[str]:
    tops = (name.partition(".")[0] for name in names)
    return (top for top in tops if not _importable(top))


@cache
def _importable(top: str) -> bool:
    return top in sys.builtin_module_names or top in sys.modules or find_spec(top) is not None
