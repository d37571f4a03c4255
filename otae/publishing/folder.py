"""A run as a folder for others: its files, without what only its owner needs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ..errors import RunError
from ..files import write_json, write_text
from ..hub.pulling import FILES
from ..run import Run
from ..weights import read_weights
from .card import write_card

_PICTURES = (".png", ".svg")


def write_folder(run: Run, path: str | Path, repository: str) -> Path:
    """Writes what others need of a run into a new folder, and returns it: its weights as safetensors, configuration, provenance,
    figures and pictures, a model card as `README.md`, and the `config.json` of the Hub's mixin.

    Checkpoints, the history by step and the report stay at home; so do all files that are not otae's.

    Args:
        run: A trained run.
        path: The folder, new or empty.
        repository: Where it will be, as `user/name`.

    Raises:
        RunError: If the run was not trained to its end, or the folder holds something.
    """
    folder = Path(path).expanduser()
    if folder.exists() and any(folder.iterdir()):
        raise RunError(f"{folder} is not empty. Choose another folder.")
    model = run.model  # says what is missing before anything is written
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if (run.path / name).is_file() and name not in ("README.md", "config.json", "provenance.json"):
            shutil.copyfile(run.path / name, folder / name)
    write_json(folder / "provenance.json", _without_paths(run))
    config = {
        "configuration": run.experiment.to_dict(),
        "data_shape": list(model.data_shape),
        "value_range": json.loads(read_weights(run.path / "model.safetensors")[1]["value_range"]),
    }
    write_json(folder / "config.json", config)
    pictures = _copy_pictures(run.path / "report", folder / "report")
    write_text(folder / "README.md", write_card(run, repository, [f"report/{each}" for each in pictures]))
    return folder


def _without_paths(run: Run) -> dict[str, object]:
    """Returns the provenance without the folders of its owner."""
    told = dict(run.provenance)
    told["command"] = [Path(word).name if Path(word).is_absolute() else word for word in told.get("command", [])]
    return told


def _copy_pictures(source: Path, target: Path) -> list[str]:
    found = sorted(each for each in source.glob("*") if each.suffix in _PICTURES and each.is_file())
    if found:
        target.mkdir()
    for each in found:
        shutil.copyfile(each, target / each.name)
    return [each.name for each in found]
