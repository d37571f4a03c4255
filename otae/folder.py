"""The layout of a run's folder: which files are otae's, whether a training has begun in it, and how it is cleared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .errors import RunError
from .lock import HOLDER, LOCK

CONFIG, PROVENANCE, DATA = "config.yaml", "provenance.json", "data.json"
FOLDERS = ("checkpoints", "tensorboard", "report")

_BEGINNING = {CONFIG, PROVENANCE, DATA, LOCK, HOLDER, "metrics.csv"}
_RESULTS = {"model.safetensors", "objective.safetensors", "evaluation.json", "report.html"}
_OWN = {
    "checkpoints": re.compile(r"(last|previous)\.ckpt|start\.safetensors"),
    "tensorboard": re.compile(r"events\.out\.tfevents\..*|hparams\.yaml"),
    "report": re.compile(r".*\.(svg|png|pdf)"),
}
_DRAFT = re.compile(r"\..+\.\d+\.part")


def has_begun(folder: Path) -> bool:
    """Returns whether a folder holds more than what a training leaves that died before its first checkpoint.

    Args:
        folder: The folder.
    """
    if (folder / CONFIG).exists() and not (folder / PROVENANCE).exists():
        return True  # a configuration of the user's own: a run writes it last
    if any(path.name not in _BEGINNING and not _DRAFT.fullmatch(path.name) for path in _strange(folder)):
        return True
    return any((folder / name).exists() for name in (*_RESULTS, "checkpoints/last.ckpt", "checkpoints/previous.ckpt"))


def clear(folder: Path) -> None:
    """Removes otae's own files from a run's folder, and nothing else: no other file, and nothing that a link leads to.

    Args:
        folder: The folder.
    """
    for path in folder.iterdir():
        if path.name in FOLDERS and not path.is_symlink():
            _clear_folder(path)
        elif path.name in {*_BEGINNING, *_RESULTS, *FOLDERS} - {LOCK, HOLDER} or _DRAFT.fullmatch(path.name):
            path.unlink()


def remove(folder: Path) -> None:
    """Removes a run's folder if it holds nothing but what a training leaves that never made a step.

    Args:
        folder: The folder.
    """
    if not has_begun(folder) and _rows(folder / "metrics.csv") == 0:
        clear(folder)
        for name in (LOCK, HOLDER):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def require_own_folders(folder: Path) -> None:
    """Checks that what is written into a run's folder stays in it.

    Args:
        folder: The folder.

    Raises:
        RunError: If a folder in it is a link to elsewhere.
    """
    for name in FOLDERS:
        if (folder / name).is_symlink():
            raise RunError(
                f"{folder / name} is a link, through which files elsewhere would be written over. Replace it by a folder."
            )


def _strange(folder: Path) -> Iterator[Path]:
    """Yields what lies in a folder and in those that a run has, without the files that a run has in those."""
    for path in folder.iterdir():
        if path.name in FOLDERS and path.is_dir() and not path.is_symlink():
            yield from (inner for inner in path.iterdir() if not _OWN[path.name].fullmatch(inner.name))
        elif path.name not in _RESULTS:
            yield path


def _clear_folder(folder: Path) -> None:
    for path in folder.iterdir():
        if not path.is_dir() and (_OWN[folder.name].fullmatch(path.name) or _DRAFT.fullmatch(path.name)):
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def _rows(path: Path) -> int:
    return max(0, len(path.read_bytes().splitlines()) - 1) if path.is_file() else 0
