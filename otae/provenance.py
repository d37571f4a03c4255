"""What a run was made with: versions, plugins, seed, command, and what was changed while it went on."""

from __future__ import annotations

import platform
import sys
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field

from .discovery import Offer
from .errors import RunError


class PluginRecord(BaseModel):
    """Holds the plugin that a run was trained with.

    Attributes:
        name: Its name.
        distribution: The distribution that offered it; `session` for one registered by hand.
        version: That distribution's version.
    """

    name: str
    distribution: str
    version: str = ""

    @property
    def requirement(self) -> str:
        """Returns what pip installs it by."""
        return f"{self.distribution}=={self.version}"


class Provenance(BaseModel):
    """Holds what the file `provenance.json` may say; other keys are kept as they are.

    Attributes:
        otae: The version of otae.
        torch: The version of torch.
        python: The version of Python.
        plugins: The plugin at each dotted path of the configuration.
        title: The name of the recipe or file.
        command: The command line.
        started: When it started.
        machine: Where it ran.
        training_seconds: The training time, over all resumptions.
        continued: What was changed when the run went on, oldest first.
    """

    model_config = ConfigDict(extra="allow")

    otae: str = ""
    torch: str = ""
    python: str = ""
    plugins: dict[str, PluginRecord] = Field(default_factory=dict)
    title: str = "experiment"
    command: list[str] = Field(default_factory=list)
    started: str = ""
    machine: str = ""
    training_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    continued: list[dict[str, Any]] = Field(default_factory=list)


def require_same_distributions(folder: Path, trained: Mapping[str, PluginRecord], now: Mapping[str, Offer]) -> None:
    """Checks that the plugins are those of the distributions that a run was trained with.

    A class that was registered by hand may have become a distribution's.

    Args:
        folder: The run's folder.
        trained: The plugins that the run was trained with, by dotted path.
        now: The plugins of the same configuration now.

    Raises:
        RunError: If another distribution offers one of the names.
    """
    for path, record, offer in _pairs(trained, now):
        by_hand = "session" in (record.distribution, offer.distribution)
        if record.name == offer.name and not by_hand and not _are_same(record, offer):
            raise RunError(
                f"The run {folder} was trained with {record.name!r} of {record.requirement} ({path}), and here {offer.origin} "
                f"offers that name. Install {record.requirement} and uninstall {offer.distribution}."
            )


def warn_of_versions(folder: Path, trained: Mapping[str, PluginRecord], now: Mapping[str, Offer]) -> None:
    """Warns of distributions that are there in another version than the one a run was trained with.

    Args:
        folder: The run's folder.
        trained: The plugins that the run was trained with, by dotted path.
        now: The plugins of the same configuration now.
    """
    told = {
        offer.distribution: f"{record.requirement} (here {offer.version})"
        for _, record, offer in _pairs(trained, now)
        if _are_same(record, offer) and record.version != offer.version
    }
    if told:
        warnings.warn(
            f"The run {folder} was trained with {', '.join(told.values())}: results may differ.", stacklevel=5
        )


def _pairs(trained: Mapping[str, PluginRecord], now: Mapping[str, Offer]) -> list[tuple[str, PluginRecord, Offer]]:
    return [(path, record, now[path]) for path, record in trained.items() if path in now]


def _are_same(record: PluginRecord, offer: Offer) -> bool:
    return _canonical(record.distribution) == _canonical(offer.distribution)


def _canonical(distribution: str) -> str:
    return distribution.lower().replace("_", "-").replace(".", "-")


def versions() -> Mapping[str, str]:
    """Returns the versions of otae, torch and Python."""
    return {"otae": version("otae"), "torch": torch.__version__, "python": platform.python_version()}


def describe_command() -> dict[str, Any]:
    """Returns the command line, and when it started."""
    return {"command": sys.argv, "started": datetime.now(UTC).isoformat(timespec="seconds")}


def describe_origins(title: str, seed: int, plugins: Mapping[str, Offer]) -> dict[str, Any]:
    """Returns what a new run is made with.

    Args:
        title: The title of its experiment.
        seed: The seed.
        plugins: The offer behind each plugin, by dotted path.
    """
    return {
        **versions(),
        "plugins": {
            path: {"name": offer.name, "distribution": offer.distribution, "version": offer.version}
            for path, offer in plugins.items()
        },
        "title": title,
        "seed": seed,
        **describe_command(),
        "machine": platform.platform(),
    }
