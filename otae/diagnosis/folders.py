"""The folders that otae and its libraries write to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..reductions.keops import cache_folder
from .finding import Finding

_TOPIC = "folders"


def folders() -> Iterator[Finding]:
    """Yields whether the folders of runs and of caches can be written; nothing is written."""
    import matplotlib

    yield _folder("runs", Path("runs").absolute(), "go to a folder of yours, or name one by --output")
    yield _folder("keops", cache_folder(), "set KEOPS_CACHE_FOLDER to a folder that can be written")
    yield _folder("matplotlib", Path(matplotlib.get_cachedir()), "set MPLCONFIGDIR to a folder that can be written")


def _folder(name: str, path: Path, cure: str) -> Finding:
    ground = next(each for each in (path, *path.parents) if each.exists())
    if ground.is_dir() and os.access(ground, os.W_OK | os.X_OK):
        return Finding(_TOPIC, name, str(path))
    return Finding(_TOPIC, name, f"{path} cannot be written", "broken", cure)
