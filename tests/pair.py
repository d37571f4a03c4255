"""Trains runs of fakes on two processes, of which one may misbehave, and prints what the first one raises.

Started by `test_processes.py` as `python pair.py FOLDER`.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from fakes import EXPERIMENT, FAKES, Fit
from torch import Tensor
from torch import distributed as dist

import otae
from otae.cloud import Cloud
from otae.run import Run
from otae.training import fit, go_on

STEP = 5


class Faulty(Fit):
    """A cost that misbehaves in one step.

    Args:
        fault: What it does then.
        rank: In which process.
    """

    separable = True

    def __init__(self, fault: str = "none", rank: int = 1) -> None:
        super().__init__()
        self.fault, self.rank = fault, rank
        self.calls = 0

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        self.calls += self.training
        value = super().forward(source, target)
        if self.calls == STEP and self.fault == "stop":
            os.kill(os.getpid(), signal.SIGINT)
        if not dist.is_initialized() or self.calls != STEP or dist.get_rank() != self.rank:
            return value
        match self.fault:
            case "raise":
                raise ValueError("the power went out")
            case "nan":
                return value * torch.nan
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "interrupt":
                os.kill(os.getpid(), signal.SIGINT)
        return value


def describe(fault: str, rank: int) -> dict[str, Any]:
    """Returns the plain values of an experiment on two processes, one of which misbehaves.

    Args:
        fault: What it does.
        rank: Which process.
    """
    values = copy.deepcopy(EXPERIMENT)
    values["objective"]["faulty"] = {
        "cost": {"name": "faulty", "fault": fault, "rank": rank},
        "source": "data",
        "target": "reconstruction",
    }
    values["training"] |= {"devices": 2, "accelerator": "cpu"}
    return values


def register() -> None:
    """Offers the fakes."""
    for registry, name, plugin in FAKES:
        registry.register(name, plugin)
    otae.costs.register("faulty", Faulty)


def train(folder: Path, *overrides: str, fault: str = "none@1") -> str:
    """Returns what the first process raises, or an empty string.

    Args:
        folder: The run's folder; one that is there goes on.
        overrides: Dotted overrides of its configuration.
        fault: What goes wrong, and in which process.
    """
    what, _, rank = fault.partition("@")
    run = Run(folder) if folder.exists() else Run.create(folder, otae.load_config(describe(what, int(rank)), overrides))
    if (folder / "checkpoints").exists():
        go_on(run, overrides)
    try:
        fit(run)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def main(folder: Path) -> None:
    """Trains runs, and prints what they raise and leave as JSON.

    Args:
        folder: The folder of the runs.
    """
    told = {fault: train(folder / fault, fault=fault) for fault in ("raise@1", "nan@1", "kill@1", "interrupt@0")}
    told["resumed on one"] = train(folder / "interrupt@0", "training.devices=1")
    told["interrupted on one"] = train(folder / "one", "training.devices=1", fault="stop@0")
    told["resumed on two"] = train(folder / "one", "training.devices=2")
    told["one"] = train(folder / "whole", "training.devices=1")
    told["two"] = train(folder / "shared")
    print(json.dumps(told))


if __name__ == "__main__":
    from pair import main as start  # the other process imports what is registered by its name
    from pair import register

    register()
    start(Path(sys.argv[1]))
