"""Whether a plugin could be imported, judged from its source without importing it."""

from __future__ import annotations

import ast
import re
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import cache_from_source, find_spec
from pathlib import Path
from typing import TypeAlias

from .discovery import Offer

Imports: TypeAlias = tuple[tuple[str, int], ...]
"""The modules that a file imports, each with the number of dots before it."""

#: What may be an import at the top level, as it is mostly written
_IMPORT = re.compile(rb"^(?:from[ \t]+(\.*)(\w[\w.]*)[ \t]+import\b|import[ \t]+([^\n#]+))", re.MULTILINE)
#: What an expression for single lines does not see through
_UNUSUAL = re.compile(rb"(?:;[ \t]*|\\\r?\n[ \t]*)(?:from|import)\b|^(?:from|import)\b[^\n]*\\\r?$", re.MULTILINE)
_HEADER = struct.Struct("<4xIII")


def fault(offer: Offer) -> str | None:
    """Returns why an offer cannot be imported, as far as its source tells, or `None`.

    A missing module, a syntax error and a missing dependency are found so; what fails only while it runs is not.

    Args:
        offer: The offer to judge.
    """
    return find_faults([offer])[offer.value]


def find_faults(offers: Iterable[Offer]) -> dict[str, str | None]:
    """Returns why offers cannot be imported, as `fault` does, by their values; a module that offers many is judged once.

    Args:
        offers: The offers to judge.
    """
    modules = {offer.value: offer.value.partition(":")[0].strip() for offer in offers}
    judged = {module: _judge(module) for module in dict.fromkeys(modules.values())}
    return {value: judged[module] for value, module in modules.items()}


def _judge(module: str) -> str | None:
    """Returns what is wrong with a module; all is read in full only where a glance sees something."""
    path = find_source(module)
    if path is None:
        return f"no module {module!r}"
    package = _package_of(module, path)
    glance = next(_faults(path, package, {path}, _scan_imports), None)
    return glance and next(_faults(path, package, {path}, _read_imports), None)


@cache
def find_source(module: str) -> Path | None:
    """Returns the file of a module, which is not imported, or `None` where there is none.

    Args:
        module: Its full name.
    """
    found = _locate(module)
    return found[0] if found else None


@cache
def _locate(module: str) -> tuple[Path, tuple[str, ...]] | None:
    """Returns a module's file, and the folders of its own modules."""
    parent = module.rpartition(".")[0]
    above = _locate(parent) if "." in module else None
    if "." in module and above is None:
        return None
    spec = PathFinder.find_spec(module, list(above[1]) if above else None)
    if spec is None:
        return None
    folders = tuple(spec.submodule_search_locations or ())
    return Path(spec.origin or next(iter(folders), ".")), folders


def _package_of(module: str, path: Path) -> str:
    return module if path.name == "__init__.py" else module.rpartition(".")[0]


def _faults(path: Path, package: str, seen: set[Path], read: Callable[[Path], Imports]) -> Iterator[str]:
    try:
        imports = read(path)
    except SyntaxError as error:
        yield f"{path.name}, line {error.lineno}: {error.msg}"
        return
    for name, level in imports:
        if level == 0:
            yield from (f"needs {top!r}, which is not installed" for top in _missing([name]))
            continue
        parent = package.rsplit(".", level - 1)[0] if level > 1 else package
        module = f"{parent}.{name}"
        sibling = find_source(module)
        if sibling is None:
            yield f"no module {module!r}"
        elif sibling not in seen:
            seen.add(sibling)
            yield from _faults(sibling, _package_of(module, sibling), seen, read)


def _scan_imports(path: Path) -> Imports:
    """Returns at least the modules that a file imports at its top level, without parsing what Python has compiled."""
    if path.suffix != ".py" or not _is_compiled(path):
        return _read_imports(path)
    source = path.read_bytes()
    if _UNUSUAL.search(source):
        return _read_imports(path)
    found: list[tuple[str, int]] = []
    for dots, name, plain in _IMPORT.findall(source):
        if plain:
            found += [(each.split()[0].decode(), 0) for each in plain.split(b",") if each.strip()]
        else:
            found.append((name.decode(), len(dots)))
    return tuple(found)


def _is_compiled(path: Path) -> bool:
    """Returns whether Python holds a compiled form of a file as it is now, which it does where its syntax is right."""
    try:
        with open(cache_from_source(path), "rb") as file:
            flags, changed, size = _HEADER.unpack(file.read(_HEADER.size))
    except (OSError, NotImplementedError, struct.error):
        return False
    now = path.stat()
    return (flags, changed, size) == (0, int(now.st_mtime) & 0xFFFFFFFF, now.st_size & 0xFFFFFFFF)


def _read_imports(path: Path) -> Imports:
    if path.suffix != ".py":
        return ()  # a compiled or namespace module cannot be read
    return _parse_imports(path, path.stat().st_mtime_ns)


@cache
def _parse_imports(path: Path, changed: int) -> Imports:  # noqa: ARG001 - the cache's key
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


def _missing(names: Iterable[str]) -> Iterator[str]:
    tops = (name.partition(".")[0] for name in names)
    return (top for top in tops if not _importable(top))


@cache
def _importable(top: str) -> bool:
    return top in sys.builtin_module_names or top in sys.modules or find_spec(top) is not None
