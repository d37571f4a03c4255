"""Pulling: a run from the Hub into a folder, once its plugins are known to be there."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import ValidationError

from ..errors import RunError
from ..provenance import Provenance
from .address import Address, parse_address
from .library import find_endpoint, load_library, telling

FILES = (
    "config.yaml",
    "config.json",
    "provenance.json",
    "data.json",
    "model.safetensors",
    "objective.safetensors",
    "evaluation.json",
    "metrics.csv",
    "README.md",
)
"""The files of a run that are published, and the only ones that are pulled: weights by safetensors, all else is text."""
PICTURES = ("report/*.png", "report/*.svg")


def pull(address: str | Address, path: str | Path | None = None) -> Path:
    """Returns the folder of a run, fetched from the Hub or found in its cache.

    The plugins that it needs are looked up by its provenance first: where one is missing, nothing else is fetched.

    Args:
        address: The address, `hf://user/name` or `hf://user/name@revision`.
        path: The folder to write to; the cache of the Hub where `None`.

    Raises:
        RunError: If a plugin is missing, or the files cannot be had; with `HF_HUB_OFFLINE` set only the cache is looked at.
        ConfigError: If the address is of another form.
    """
    wanted = parse_address(address) if isinstance(address, str) else address
    library, endpoint = load_library(), find_endpoint()
    folder = None if path is None else Path(path).expanduser()
    if folder is not None and folder.is_dir() and any(folder.iterdir()):
        raise RunError(f"{folder} is not empty. Choose another folder for {wanted}.")
    with telling(f"{wanted} cannot be read"):
        told = library.hf_hub_download(
            wanted.repository, "provenance.json", revision=wanted.revision, endpoint=endpoint
        )
    _require_plugins(wanted, Path(told))
    with telling(f"{wanted} cannot be read"):
        found = library.snapshot_download(
            wanted.repository,
            revision=wanted.revision,
            local_dir=folder,
            allow_patterns=[*FILES, *PICTURES],
            endpoint=endpoint,
        )
    if not (Path(found) / "model.safetensors").is_file():
        raise RunError(f"{wanted} holds no run of otae: there is no model.safetensors in it.")
    return Path(found)


def _require_plugins(address: Address, path: Path) -> None:
    """Checks that every distribution is installed that a run was trained with; nothing is imported."""
    try:
        plugins = Provenance.model_validate(json.loads(path.read_text(encoding="utf-8"))).plugins
    except (ValidationError, ValueError) as error:
        raise RunError(f"{address} is corrupt: its provenance.json cannot be read ({error}).") from error
    missing = sorted({each.requirement for each in plugins.values() if not _is_installed(each.distribution)})
    by_hand = sorted({each.name for each in plugins.values() if each.distribution == "session"})
    told = [f"It needs {', '.join(missing)}: pip install {' '.join(missing)}"] if missing else []
    told += [f"It needs {', '.join(by_hand)}, which no package offers: ask its author for one"] if by_hand else []
    if told:
        raise RunError(f"{address} cannot be used here, and was not downloaded. {'. '.join(told)}.")


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return distribution == "session"
    return True
