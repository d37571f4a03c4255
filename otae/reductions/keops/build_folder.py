"""The files that KeOps keeps of its compilations: what a process that was killed has left half written is removed."""

from __future__ import annotations

import logging
import math
import pickle
import re
import struct
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

log = logging.getLogger("otae.reductions")

_ELF_SIZES = {1: ("I", 32, 46), 2: ("Q", 40, 58)}  # class -> format and place of the table's offset; place of its sizes
_UNREADABLE = (pickle.UnpicklingError, EOFError, AttributeError, ImportError, LookupError, TypeError, ValueError)


def remove_broken(folder: Path) -> list[Path]:
    """Returns the files that were removed from a build folder of KeOps: broken ones, and all others of their formulas.

    KeOps takes a file that exists for one that is whole, so that a single empty library fails every later run. Nobody may
    be compiling into the folder meanwhile. Files that are not KeOps' own are left alone.

    Args:
        folder: The build folder.
    """
    formulas: dict[str, dict[Path, bool]] = defaultdict(dict)
    for file in folder.iterdir():
        for pattern, whole in _CHECKS.items():
            if re.fullmatch(pattern, file.name):
                formula = re.search(_HASH, file.name)
                formulas[formula[0] if formula else file.name][file] = whole(file)
    removed = [file for files in formulas.values() if not _usable(files) for file in files]
    for file in removed:
        file.unlink(missing_ok=True)
        log.info("Removed %s, which a process that was killed left half written, or a file of the same formula.", file)
    return removed


def _usable(files: Mapping[Path, bool]) -> bool:
    """Tells whether all files of a formula are whole, and its generated code has the description that is written last."""
    generated = any(re.fullmatch(_GENERATED, file.name) for file in files)
    return all(files.values()) and (not generated or any(file.suffix == ".nfo" for file in files))


def _whole_library(file: Path) -> bool:
    """Tells whether a library reaches as far as its header says: the table of an ELF file's sections comes last."""
    with file.open("rb") as opened:
        head = opened.read(64)
    if not head.startswith(b"\x7fELF"):
        return any(head)  # of another system: only an empty one is known to be broken
    if len(head) < 64:
        return False
    order = "<" if head[5] == 1 else ">"
    kind, place, sizes = _ELF_SIZES[head[4]]
    offset: int = struct.unpack_from(order + kind, head, place)[0]
    length = int(math.prod(struct.unpack_from(order + "HH", head, sizes)))
    return 0 < offset <= file.stat().st_size - length


def _whole_device_code(file: Path) -> bool:
    """Tells whether compiled device code has the length that it begins with."""
    with file.open("rb") as opened:
        head = opened.read(8)
    return len(head) == 8 and struct.unpack("=Q", head)[0] + 8 == file.stat().st_size


def _whole_description(file: Path) -> bool:
    return re.fullmatch(_DESCRIPTION, file.read_text(encoding="utf-8", errors="replace")) is not None


def _whole_pickle(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            pickle.load(opened)
    except _UNREADABLE:
        return False
    return True


def _filled(file: Path) -> bool:
    return file.stat().st_size > 0


_DESCRIPTION = r"red_formula=.*\ndim=\d+\ntagI=[01]\ndimy=\d+"
_HASH = "[0-9a-f]{10}"
_GENERATED = rf"{_HASH}\.cpp|(cubin|ptx)_{_HASH}"
_CHECKS: dict[str, Callable[[Path], bool]] = {
    rf"pykeops_cpp_{_HASH}\.(.*\.)?so|nvrtc_jit\.so|pykeops_nvrtc\.(.*\.)?so": _whole_library,
    rf"(pykeops_cpp_)?{_HASH}\.cpp|{_HASH}\.cu": _filled,
    rf"{_HASH}\.nfo": _whole_description,
    rf"(cubin|ptx)_{_HASH}": _whole_device_code,
    r"(get_keops_dll_impl|LoadKeOps_\w+_class)_cache\.pkl": _whole_pickle,
}
