"""What guards a run: one process at a time, signals, devices that are not there, batches of one sample."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes import EXPERIMENT
from test_life import _light
from test_training import Make, at_step, make, trained

import otae
from otae import Cloud, Cost, load_config
from otae.errors import ConfigError, DataError, RunError, Stopped
from otae.lock import locked
from otae.training.history import read as read_history

__all__ = ["_light", "make"]

HOLD = "import sys, time; from pathlib import Path; from otae.lock import locked\n"
HOLD += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


@pytest.fixture
def hold() -> Any:
    """Returns a function that has another process hold a folder's lock."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(folder: Path) -> subprocess.Popen[bytes]:
        processes.append(subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE))
        assert processes[-1].stdout is not None
        assert processes[-1].stdout.readline() == b"held\n"
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_one_process_at_a_time_has_a_run_and_a_dead_one_has_none(
    make: Make, hold: Callable[[Path], subprocess.Popen[bytes]]
) -> None:
    run = trained(make())
    process = hold(run.path)
    with pytest.raises(RunError, match=rf"in use by process {process.pid} on .*, since .*Wait until it ends"):
        otae.resume(run.path)
    process.kill()
    process.wait()
    assert json.loads((run.path / ".lock.json").read_text())["pid"] == process.pid
    otae.resume(run.path)
    with locked(run.path), pytest.raises(RunError, match=f"in use by process {os.getpid()}"):
        otae.resume(run.path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_told_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    at_step(monkeypatch, 2, lambda: os.kill(os.getpid(), number))
    with pytest.raises(Stopped, match=f"{number.name}; continue with `otae resume") as caught:
        otae.train(load_config(EXPERIMENT), tmp_path / "run")
    assert caught.value.number == number


@pytest.mark.parametrize("accelerator", ["gpu", "mps"])
def test_a_device_that_is_not_there_is_told_and_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accelerator: str
) -> None:
    for kind in ("CUDAAccelerator", "MPSAccelerator"):
        monkeypatch.setattr(f"otae.training.readiness.{kind}.is_available", staticmethod(lambda: False))
    with pytest.raises(ConfigError, match=rf"training\.accelerator: there is no {accelerator} .* Take cpu or auto"):
        otae.train(load_config(EXPERIMENT, [f"training.accelerator={accelerator}"]), tmp_path / "run")
    assert not (tmp_path / "run").exists()


class Scatter(Cost):
    """Creates the unbiased variance of a cloud, which one point does not have."""

    unary = True

    def forward(self, source: Cloud, target: Cloud | None = None) -> torch.Tensor:
        return source.flat.var(dim=0).sum()


@pytest.mark.parametrize(("overrides", "split"), [(["data.batch_size=1"], "train"), (["data.size=12"], "validation")])
def test_a_batch_of_one_sample_is_told_with_the_term_that_needs_two(
    tmp_path: Path, overrides: list[str], split: str
) -> None:
    otae.costs.register("scatter", Scatter)
    values = {**EXPERIMENT, "objective": {"spread": {"cost": "scatter", "source": "code"}}}
    try:
        with pytest.raises(
            DataError, match=rf"The {split} split of .* batches of one sample, on which the term 'spread'"
        ):
            otae.train(load_config(values, overrides), tmp_path / "run")
    finally:
        otae.costs.unregister("scatter")
    assert not (tmp_path / "run").exists()


def test_a_batch_of_one_sample_is_fine_for_terms_that_need_no_more(tmp_path: Path) -> None:
    values = {**EXPERIMENT, "objective": {"fit": {"cost": "fit", "source": "data", "target": "reconstruction"}}}
    run = otae.train(load_config(values, ["data.size=12", "data.batch_size=1", "training.epochs=1"]), tmp_path / "run")
    assert len(read_history(run.path / "metrics.csv")["train"]["step"]) == 9
