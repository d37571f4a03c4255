"""What a run was made with: versions, plugins, seed, command, and what was changed while it went on."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from .registry import Offer


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


def find_replaced(trained: dict[str, PluginRecord], now: dict[str, Offer]) -> dict[str, tuple[PluginRecord, Offer]]:
    """Returns the plugins that another distribution offers now, by dotted path.

    A class that was registered by hand may have become a distribution's, and is none of these.

    Args:
        trained: The plugins that the run was trained with.
        now: The plugins of the same configuration now.
    """
    return {
        path: (record, now[path])
        for path, record in trained.items()
        if path in now
        and record.name == now[path].name
        and "session" not in (record.distribution, now[path].distribution)
        and _canonical(record.distribution) != _canonical(now[path].distribution)
    }


def find_updated(trained: dict[str, PluginRecord], now: dict[str, Offer]) -> list[tuple[PluginRecord, Offer]]:
    """Returns the plugins that are there in another version, one of each distribution.

    Args:
        trained: The plugins that the run was trained with.
        now: The plugins of the same configuration now.
    """
    pairs = [(record, now[path]) for path, record in trained.items() if path in now]
    differing = {
        each.distribution: (record, each)
        for record, each in pairs
        if _canonical(record.distribution) == _canonical(each.distribution) and record.version != each.version
    }
    return list(differing.values())


def _canonical(distribution: str) -> str:
    return distribution.lower().replace("_", "-").replace(".", "-")
