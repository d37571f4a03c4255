"""How runs begin: again, in place of another, from its weights, and one process at a time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fakes import EXPERIMENT
from lightning.fabric.utilities.rank_zero import rank_zero_only
from safetensors.torch import load_file
from test_checkpoints import events
from test_life import _light, files
from test_training import Make, assert_same, at_step, fail, make, trained

import otae
from otae import Cloud, Cost, Run, load_config
from otae.errors import ConfigError, DataError, NonFiniteError, RunError, Stopped
from otae.folder import clear
from otae.lock import locked
from otae.training import go_on
from otae.training.history import read as read_history

__all__ = ["_light", "make"]


def test_a_run_that_dies_before_its_first_checkpoint_leaves_nothing_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = load_config(EXPERIMENT)
    for names in (["provenance.json"], ["provenance.json", "config.yaml"], [".config.yaml.7.part"]):
        folder = tmp_path / "run"
        run = Run.create(folder, experiment)
        for path in folder.iterdir():
            if path.name not in names:
                path.unlink()
        for name in names:
            (run.path / name).touch()
        assert otae.train(experiment, folder).model is not None
        shutil.rmtree(folder)


def test_a_run_that_fails_before_its_first_step_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_step(monkeypatch, 0, fail)
    with pytest.raises(OSError, match="power"):
        otae.train(load_config(EXPERIMENT), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_that_fails_later_is_kept_and_replaced_when_asked(tmp_path: Path) -> None:
    venom = {"cost": {"name": "poison", "after": 4}, "source": "code", "target": "prior"}
    values = {**EXPERIMENT, "objective": {**EXPERIMENT["objective"], "venom": venom}}  # type: ignore[dict-item]
    folder = tmp_path / "run"
    with pytest.raises(NonFiniteError, match="'venom'"):
        otae.train(load_config(values), folder)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"otae resume .*, or replace it with --overwrite"):
        otae.train(load_config(EXPERIMENT), folder)
    otae.train(load_config(EXPERIMENT), folder, overwrite=True)
    fresh = files(otae.train(load_config(EXPERIMENT), tmp_path / "fresh").path)
    assert files(folder) == {**fresh, "notes.txt": b"mine"}


def test_only_a_run_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(RunError, match=r"is not empty\. Choose another --output\.$"):
        otae.train(load_config(EXPERIMENT), tmp_path, overwrite=True)
    (tmp_path / "thesis.txt").unlink()
    (tmp_path / "config.yaml").write_text("mine")
    with pytest.raises(RunError, match=r"is not empty\. Choose another --output\.$"):
        otae.train(load_config(EXPERIMENT), tmp_path, overwrite=True)
    assert (tmp_path / "config.yaml").read_text() == "mine"


def test_clearing_a_folder_follows_no_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "last.ckpt").write_text("precious")
    run = tmp_path / "run"
    run.mkdir()
    (run / "checkpoints").symlink_to(victim)
    (run / "metrics.csv").symlink_to(victim / "last.ckpt")
    clear(run)
    assert list(run.iterdir()) == []
    assert (victim / "last.ckpt").read_text() == "precious"


def test_nothing_is_written_through_a_link(finished: Run, tmp_path: Path) -> None:
    run = Run(shutil.copytree(finished.path, tmp_path / "run"))
    (tmp_path / "victim").mkdir()
    shutil.rmtree(run.path / "checkpoints")
    (run.path / "checkpoints").symlink_to(tmp_path / "victim")
    with pytest.raises(RunError, match="checkpoints is a link"):
        otae.resume(run.path)
    (run.path / "checkpoints").unlink()
    (tmp_path / "precious.csv").write_text("precious")
    (run.path / "metrics.csv").unlink()
    (run.path / "metrics.csv").symlink_to(tmp_path / "precious.csv")
    otae.resume(run.path)
    assert (tmp_path / "precious.csv").read_text() == "precious"


def test_a_run_starts_from_the_weights_of_another_that_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    former = otae.train(load_config(EXPERIMENT), tmp_path / "former")
    still = ["training.optimizer.lr=1e-30", "training.adversary.optimizer.lr=1e-30", "training.epochs=1"]
    run = otae.train(load_config(EXPERIMENT, still), tmp_path / "run", start=former.path)
    assert_same(former, run)
    other = load_config(EXPERIMENT, [*still, "model.latent_dim=3"])
    wider = otae.train(other, tmp_path / "wider", start=former)
    told = wider.provenance["start"]
    assert "model.encoder.mean.weight" in told["fresh"]
    assert torch.equal(wider.model.decoder.map.bias, former.model.decoder.map.bias)
    assert told["fitting"] == len(load_file(wider.path / "checkpoints" / "start.safetensors"))


@pytest.mark.slow
def test_a_warm_start_that_was_interrupted_at_once_is_still_one(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    former = trained(make("seed=5"))
    unbroken = otae.train(load_config(EXPERIMENT), tmp_path / "unbroken", start=former)
    with monkeypatch.context() as patch:
        at_step(patch, 1, fail)
        with pytest.raises(OSError, match="power"):
            otae.train(load_config(EXPERIMENT), tmp_path / "broken", start=former)
    assert_same(unbroken, otae.resume(tmp_path / "broken"))


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_is_told_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    at_step(monkeypatch, 2, lambda: os.kill(os.getpid(), number))
    with pytest.raises(Stopped, match=f"{number.name}; continue with `otae resume") as caught:
        otae.train(load_config(EXPERIMENT), tmp_path / "run")
    assert caught.value.number == number


def test_a_schedule_and_options_are_checked_when_a_run_goes_on(make: Make) -> None:
    run = trained(make())
    with pytest.raises(ConfigError, match=r"training\.optimizer\.momentm: unknown option"):
        go_on(run, ["training.optimizer.momentm=1"])


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


class Spread(Cost):
    """Creates the biased variance of a cloud, which is 0 at one point."""

    unary = True

    def forward(self, source: Cloud, target: Cloud | None = None) -> torch.Tensor:
        return source.flat.var(dim=0, correction=0).sum()


def test_a_term_that_is_0_on_every_batch_of_one_sample_is_told(tmp_path: Path) -> None:
    otae.costs.register("width", Spread)
    values = {**EXPERIMENT, "objective": {"spread": {"cost": "width", "source": "code"}}}
    try:
        with pytest.raises(
            DataError, match=r"one sample, on which the term 'spread' is always 0: it needs two or more"
        ):
            otae.train(load_config(values, ["data.batch_size=1"]), tmp_path / "run")
    finally:
        otae.costs.unregister("width")


@pytest.mark.parametrize("recipe", ["gwae", "ae"])
def test_a_single_training_sample_is_refused_with_the_cause(tmp_path: Path, recipe: str) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(3, 4)).astype("float32"))
    experiment = load_config(recipe, ["data.name=arrays", f"data.path={tmp_path / 'x.npy'}", "data.validation=0.2"])
    with pytest.raises(DataError, match=r"The train split has 1 sample: .* Give more data, or smaller shares"):
        otae.train(experiment, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_batch_of_one_sample_is_fine_for_terms_that_need_no_more(tmp_path: Path) -> None:
    values = {**EXPERIMENT, "objective": {"fit": {"cost": "fit", "source": "data", "target": "reconstruction"}}}
    run = otae.train(load_config(values, ["data.size=12", "data.batch_size=1", "training.epochs=1"]), tmp_path / "run")
    assert len(read_history(run.path / "metrics.csv")["train"]["step"]) == 9


def test_variables_of_a_batch_job_of_one_process_and_a_strangers_checkpoint_change_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = otae.train(load_config(EXPERIMENT), tmp_path / "plain")
    names = {
        "JOB_ID": 1,
        "NTASKS": 2,
        "PROCID": 0,
        "LOCALID": 0,
        "NODEID": 0,
        "NODELIST": "localhost",
        "JOB_NAME": "job",
    }
    for name, value in {"RANK": 1, **{f"SLURM_{each}": number for each, number in names.items()}}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    monkeypatch.chdir(tmp_path)
    shutil.copy(plain.path / "checkpoints" / "last.ckpt", "hpc_ckpt_1.ckpt")
    run = otae.train(load_config(EXPERIMENT), tmp_path / "run")
    assert_same(plain, run)
    assert (run.path / "metrics.csv").read_text() == (plain.path / "metrics.csv").read_text()
    assert events(run) == events(plain) != []
    assert rank_zero_only.rank == 1, "what other code relies on is put back"
