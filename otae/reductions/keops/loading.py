"""The first load of each formula of KeOps in a process: through the gate, from files that are whole, announced."""

from __future__ import annotations

import atexit
import importlib
import logging
import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import BackendError
from .build_folder import remove_broken
from .gate import Gate

log = logging.getLogger("otae.reductions")

NO_COMPILER = (
    "KeOps found no C++ compiler. Install one, for example by `apt install g++` or `conda install gxx`, "
    "or set the environment variable CXX to one before Python starts."
)
_SHOWN = 100  # letters of a formula


@dataclass(frozen=True)
class Compilation:
    """Holds how KeOps compiles for one device.

    Args:
        device: What the formulas run on.
        word: What KeOps says before that part of it which takes long.
        duration: How long it takes.
        errors: What KeOps raises where it could not compile.
        needs: What it needs.
    """

    device: str
    word: str
    duration: str
    errors: tuple[type[Exception], ...]
    needs: str


COMPILATIONS = {
    "cpp": Compilation(
        "CPU",
        "Compiling",
        "7 to 20 seconds",
        (ImportError, OSError),
        "A complete C++ compiler and Python's headers are needed, such as those of `apt install g++ python3-dev`",
    ),
    "nvrtc": Compilation(
        "GPU",
        "Generating",
        "some seconds",
        (ImportError, OSError, ValueError),
        "A C++ compiler, Python's headers and a CUDA toolkit are needed, and CUDA_PATH must name the toolkit's folder",
    ),
}


class Loader:
    """Creates the call that takes the place of a class of formulas in KeOps, and loads them through the gate.

    KeOps calls it for every formula that the process has not loaded yet: forwards, backwards and twice backwards.

    Args:
        compilation: How KeOps compiles them.
        original: The class.
        gate: The gate.
        keops: The package `pykeops`.
    """

    def __init__(self, compilation: Compilation, original: Callable[..., Any], gate: Gate, keops: Any) -> None:
        self.compilation, self.original, self.gate, self.keops = compilation, original, gate, keops

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Returns the loaded formula.

        Args:
            *args: What KeOps gives.
            **options: What KeOps gives.

        Raises:
            BackendError: If the formula cannot be compiled.
        """
        folder = Path(self.keops.get_build_folder())
        announcement = _Announcement(self.compilation, formula=args[5], dtype=args[8], folder=folder)
        with self.gate.enter(announcement), _speak(self.keops):
            remove_broken(folder)
            forget_missing_files()
            try:
                return self.original(*args, **options)
            except self.compilation.errors as error:
                raise BackendError(_failure(self.compilation, "".join(announcement.said), error)) from error


@dataclass
class _Announcement:
    """Says what KeOps compiles, once KeOps does, and keeps all that KeOps prints."""

    compilation: Compilation
    formula: str
    dtype: str
    folder: Path
    said: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.said.append(text)
        log.debug("%s", text.rstrip())
        readable = re.search(r" of formula (.*) with ", text)
        self.formula = readable[1] if readable else self.formula
        if self.compilation.word in text and compiler():
            log.warning(
                "KeOps compiles %s in %s for the %s: %s, once. It is kept in %s.",
                self.formula if len(self.formula) <= _SHOWN else self.formula[:_SHOWN] + "…",
                self.dtype,
                self.compilation.device,
                self.compilation.duration,
                self.folder,
            )


def install(gate: Gate, keops: Any) -> None:
    """Makes KeOps load its formulas through a gate, and write what it knows of them all at once.

    Args:
        gate: The gate.
        keops: The package `pykeops`.
    """
    binders = importlib.import_module("pykeops.common.keops_io").keops_binder
    for kind, binder in binders.items():
        binder.cls = Loader(COMPILATIONS[kind], binder.cls, gate, keops)
        binder.library_params.clear()  # KeOps writes them under keys that no other process can find
    for cache in (_generated(), *binders.values()):
        atexit.unregister(cache.save_cache)
        atexit.register(save, cache)


def save(cache: Any) -> None:
    """Writes a cache of KeOps to its file, whole or not at all.

    Args:
        cache: The cache.
    """
    target = Path(cache.cache_file)
    if target.parent.is_dir():
        half = target.with_name(f"{target.name}.{os.getpid()}")
        cache.cache_file = str(half)
        try:
            cache.save_cache()
        finally:
            cache.cache_file = str(target)
        half.replace(target)


def forget_missing_files() -> None:
    """Makes KeOps forget the formulas whose generated code is gone: it would compile what is not there."""
    library = _generated().library
    for key, (_, source, device_code, *_others) in list(library.items()):
        if not all(Path(file).exists() for file in (source, device_code.decode())):
            del library[key]


def compiler() -> str | None:
    """Returns the C++ compiler that KeOps chooses, or `None` where there is none."""
    fallbacks = ("clang++", "g++") if platform.system() == "Darwin" else ("g++",)
    return next(filter(shutil.which, (os.environ.get("CXX", ""), *fallbacks)), None)


@contextmanager
def _speak(keops: Any) -> Iterator[None]:
    """Yields while KeOps says what it does, whatever the user has set."""
    packages = (keops, importlib.import_module("keopscore"))
    before = [package.verbose for package in packages]
    keops.set_verbose(True)
    try:
        yield
    finally:
        for package, verbose in zip(packages, before, strict=True):
            package.verbose = verbose


def _generated() -> Any:
    return importlib.import_module("keopscore.get_keops_dll").get_keops_dll


def _failure(compilation: Compilation, said: str, error: Exception) -> str:
    name = compiler()
    if name is None:
        return NO_COMPILER
    default = "it left no library" if isinstance(error, ModuleNotFoundError) else str(error)
    complaint = next((line.strip() for line in said.splitlines() if "error:" in line), default)
    return (
        f"KeOps could not compile a formula for the {compilation.device} with {name!r}: {complaint}. {compilation.needs}; "
        "`pykeops.check_health()` prints what KeOps found."
    )
