"""The place of this process among those of a training: told by torchrun or srun, or by the configuration alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from lightning.fabric.plugins.environments.slurm import SLURMEnvironment

from ..config import TrainingConfig
from ..errors import ConfigError

_STARTED = {"RANK", "SLURM_PROCID", "NODE_RANK"}


@dataclass(frozen=True)
class Placement:
    """Holds the place of a process among those of a training.

    Args:
        rank: The number of the process; 0 leads: it alone writes.
        world: The number of processes.
        local_rank: The number of the process on its machine.
        nodes: The number of machines.
        node: The number of its machine.
        address: The host of the first process; empty where all are on this machine.
        port: The port at which the first process waits for the others; 0 for any.
        launches: Whether this process starts the others of its machine.
        started: Whether another process of otae has started this one.
        agent: Whether torchrun waits at the port already.
        number: The number of this training among those that the processes do one after another.
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    nodes: int = 1
    node: int = 0
    address: str = ""
    port: int = 0
    launches: bool = False
    started: bool = False
    agent: bool = False
    number: int | None = None

    @property
    def local_world(self) -> int:
        """Returns the number of processes on each machine."""
        return self.world // self.nodes


def find_placement(training: TrainingConfig, environment: Mapping[str, str] | None = None) -> Placement:
    """Returns the place of this process.

    Variables of torchrun, and of srun where it has started the processes of this step, say it; a batch job of SLURM that runs
    one process is one process. Otherwise the configuration says how many processes this one starts.

    Args:
        training: The training section.
        environment: The variables; those of this process where `None`.

    Raises:
        ConfigError: If the variables and the configuration do not fit each other, or some are missing.
    """
    known = os.environ if environment is None else environment
    if {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"} <= set(known):
        return _of_torchrun(training, known)
    tasks = _count_tasks(training, known)
    if tasks > 1:
        return _of_slurm(training, known, tasks)
    return _of_configuration(training, known)


def is_first(training: TrainingConfig) -> bool:
    """Returns whether this process is the first one of a training, which alone tells what became of it.

    Args:
        training: The training section.
    """
    return not _STARTED & set(os.environ) or find_placement(training).rank == 0


def _of_torchrun(training: TrainingConfig, known: Mapping[str, str]) -> Placement:
    world, local = int(known["WORLD_SIZE"]), int(known.get("LOCAL_WORLD_SIZE", 1))
    nodes = max(1, world // local)
    _require(training, world, nodes, "torchrun")
    node = int(known.get("GROUP_RANK", int(known["RANK"]) // local))
    address, port = known["MASTER_ADDR"], int(known["MASTER_PORT"])
    agent = known.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    return Placement(int(known["RANK"]), world, int(known["LOCAL_RANK"]), nodes, node, address, port, agent=agent)


def _count_tasks(training: TrainingConfig, known: Mapping[str, str]) -> int:
    """Returns how many processes srun has started: those of the step, or of the job where the configuration has as many."""
    if "SLURM_PROCID" not in known:
        return 1
    if "SLURM_STEP_NUM_TASKS" in known:
        return int(known["SLURM_STEP_NUM_TASKS"])
    asked = 1 if training.devices == "auto" else training.devices * training.nodes
    tasks = int(known.get("SLURM_NTASKS", 1))
    return tasks if tasks == asked or int(known["SLURM_PROCID"]) > 0 else 1


def _of_slurm(training: TrainingConfig, known: Mapping[str, str], tasks: int) -> Placement:
    nodes = int(known.get("SLURM_STEP_NUM_NODES", known.get("SLURM_NNODES", training.nodes)))
    _require(training, tasks, nodes, "srun")
    listed = known.get("SLURM_STEP_NODELIST", known.get("SLURM_NODELIST", "localhost"))
    address = known.get("MASTER_ADDR") or SLURMEnvironment.resolve_root_node_address(listed)
    port = int(known.get("MASTER_PORT", 15_000 + int(known.get("SLURM_JOB_ID", 0)) % 10_000))
    rank, node = int(known["SLURM_PROCID"]), int(known.get("SLURM_NODEID", 0))
    return Placement(rank, tasks, int(known.get("SLURM_LOCALID", rank)), nodes, node, address, port)


def _of_configuration(training: TrainingConfig, known: Mapping[str, str]) -> Placement:
    local = 1 if training.devices == "auto" else training.devices
    if training.nodes == 1:
        return Placement(world=local, launches=local > 1)
    if missing := {"MASTER_ADDR", "MASTER_PORT", "NODE_RANK"} - set(known):
        raise ConfigError(
            f"training.nodes is {training.nodes}, but {', '.join(sorted(missing))} of the environment are missing. Start one "
            "process a machine with MASTER_ADDR and MASTER_PORT of the first machine and NODE_RANK counted from 0, or start "
            "all of them by torchrun or srun."
        )
    node = int(known["NODE_RANK"])
    if not 0 <= node < training.nodes:
        raise ConfigError(f"NODE_RANK is {node}, but training.nodes is {training.nodes}: count machines from 0.")
    address, port = known["MASTER_ADDR"], int(known["MASTER_PORT"])
    return Placement(node * local, local * training.nodes, 0, training.nodes, node, address, port, local > 1)


def _require(training: TrainingConfig, world: int, nodes: int, starter: str) -> None:
    """Checks that a training wants as many processes as were started."""
    wanted = None if training.devices == "auto" else training.devices * training.nodes
    if (wanted is not None and wanted != world) or (training.nodes > 1 and training.nodes != nodes):
        devices = training.devices
        raise ConfigError(
            f"{starter} has started {world} processes on {nodes} machines, but training.devices is {devices} and "
            f"training.nodes is {training.nodes}. Leave both out, or start devices × nodes processes."
        )
