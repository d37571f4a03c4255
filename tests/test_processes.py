"""Trainings on several processes: one result, one folder, one error; and what tells a process its place."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fakes import Blobs
from safetensors.torch import load_file

from otae.config import TrainingConfig
from otae.errors import ConfigError, DataError, NonFiniteError, PartError, ProcessError
from otae.training.batches import Batches
from otae.training.failure import Failure
from otae.training.history import read
from otae.training.interrupted import Interrupted
from otae.training.placement import Placement, find_placement

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "1", "MASTER_ADDR": "a",
            "MASTER_PORT": "29500"}  # fmt: skip
SLURM = {"SLURM_JOB_ID": "12", "SLURM_NTASKS": "2", "SLURM_PROCID": "1", "SLURM_LOCALID": "1", "SLURM_NODEID": "0",
         "SLURM_NODELIST": "node[3-4]"}  # fmt: skip
STEP = {"SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NUM_NODES": "1"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Returns the folder of runs on two processes, and what the first process raised in each."""
    folder = tmp_path_factory.mktemp("pair")
    command = [sys.executable, str(Path(__file__).parent / "pair.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return folder, told


def largest_gap(first: Path, second: Path) -> float:
    """Returns the largest deviation of the weights of two runs."""
    gaps = []
    for name in ("model.safetensors", "objective.safetensors"):
        one, other = load_file(first / name), load_file(second / name)
        assert one.keys() == other.keys()
        gaps += [float((value - other[key]).abs().max()) for key, value in one.items() if value.numel()]
    return max(gaps)


@pytest.mark.slow
def test_two_processes_leave_the_run_that_one_does(pair: tuple[Path, dict[str, str]]) -> None:
    folder, told = pair
    assert (told["one"], told["two"]) == ("", "")
    assert largest_gap(folder / "whole", folder / "shared") < 1e-6
    assert {path.name for path in (folder / "whole").iterdir()} == {path.name for path in (folder / "shared").iterdir()}
    one, two = (read(folder / name / "metrics.csv") for name in ("whole", "shared"))
    for split, columns in one.items():
        for name, values in columns.items():
            np.testing.assert_allclose(two[split][name], values, rtol=1e-4, atol=1e-6, err_msg=f"{split} {name}")


@pytest.mark.slow
def test_a_run_goes_on_with_fewer_and_with_more_processes(pair: tuple[Path, dict[str, str]]) -> None:
    folder, told = pair
    assert told["interrupt@0"].startswith("Interrupted")
    assert told["interrupted on one"].startswith("Interrupted")
    assert (told["resumed on one"], told["resumed on two"]) == ("", "")
    assert largest_gap(folder / "whole", folder / "interrupt@0") < 1e-6
    assert largest_gap(folder / "whole", folder / "one") < 1e-6


@pytest.mark.slow
def test_a_failure_of_one_process_ends_all_with_its_message(pair: tuple[Path, dict[str, str]]) -> None:
    _, told = pair
    assert told["raise@1"].startswith("PartError: the cost 'faulty' of session failed: ValueError: the power went out")
    assert told["nan@1"].startswith("NonFiniteError: The loss of the term 'faulty' is nan at step 4")
    assert told["kill@1"].startswith("ProcessError: Process 1 of the training was ended by signal 9")


@pytest.mark.parametrize(("training", "known", "expected"), [
    ({}, {}, Placement()),
    ({"devices": 2}, {}, Placement(world=2, launches=True)),
    ({}, TORCHRUN, Placement(3, 4, 1, 2, 1, "a", 29500)),
    ({}, TORCHRUN | {"TORCHELASTIC_USE_AGENT_STORE": "True"}, Placement(3, 4, 1, 2, 1, "a", 29500, agent=True)),
    ({}, {"RANK": "1"}, Placement()),
    ({}, SLURM | {"SLURM_PROCID": "0"}, Placement()),  # a batch job of one process, whatever it reserved
    ({"devices": 2}, SLURM, Placement(1, 2, 1, 1, 0, "node3", 15012)),
    ({}, SLURM | STEP, Placement(1, 2, 1, 1, 0, "node3", 15012)),
    ({"devices": 2, "nodes": 2}, {"MASTER_ADDR": "a", "MASTER_PORT": "1", "NODE_RANK": "1"},
     Placement(2, 4, 0, 2, 1, "a", 1, launches=True)),
])  # fmt: skip
def test_a_process_knows_its_place(training: dict[str, Any], known: dict[str, str], expected: Placement) -> None:
    assert find_placement(TrainingConfig(**training), known) == expected


@pytest.mark.parametrize(("training", "known", "message"), [
    ({"devices": 3}, TORCHRUN, "torchrun has started 4 processes on 2 machines, but training.devices is 3"),
    ({"devices": 3}, SLURM | STEP, "srun has started 2 processes"),
    ({"nodes": 2}, {"MASTER_ADDR": "a"}, "MASTER_PORT, NODE_RANK of the environment are missing"),
    ({"nodes": 2}, {"MASTER_ADDR": "a", "MASTER_PORT": "1", "NODE_RANK": "2"}, "count machines from 0"),
])  # fmt: skip
def test_a_place_that_does_not_fit_is_told(training: dict[str, Any], known: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        find_placement(TrainingConfig(**training), known)


def test_processes_share_out_each_batch_and_no_sample_is_lost() -> None:
    dataset = Blobs(53)
    whole = list(Batches(dataset, range(53), 16, seed=0))
    shares = [list(Batches(dataset, range(53), 16, seed=0, processes=3, rank=rank)) for rank in range(3)]
    for batch, *parts in zip(whole, *shares, strict=True):
        assert torch.equal(torch.cat(parts), batch)
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_batch_that_is_smaller_than_the_number_of_processes_is_refused() -> None:
    with pytest.raises(DataError, match=r"Batches of 2 samples cannot be shared by 3 processes"):
        Batches(Blobs(5), range(5), 3, processes=3, rank=0)


@pytest.mark.parametrize(("error", "status"), [
    (NonFiniteError("a"), 1), (PartError("a"), 2), (ProcessError("a"), 1), (ValueError("a"), 1), (KeyboardInterrupt(), 130),
    (Interrupted(15), 143),
])  # fmt: skip
def test_a_failure_ends_with_the_status_of_its_kind(error: BaseException, status: int) -> None:
    failure = Failure.of(error, 1)
    assert (failure.status, failure.as_followed().status) == (status, status)
    if isinstance(error, PartError):
        assert isinstance(failure.as_error(), PartError)
        assert str(failure.as_error()) == "a"
