"""Lightning's strategy for several processes, without a wrapper around the model: the engine averages gradients itself."""

from __future__ import annotations

from typing import Any

from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.strategies.strategy import Strategy

from .placement import Placement
from .processes import Processes


class Joined(ClusterEnvironment):
    """Creates what Lightning knows of processes that have met already.

    Args:
        placement: The place of this one.
    """

    creates_processes_externally = True

    def __init__(self, placement: Placement) -> None:
        self.placement = placement

    @property
    def main_address(self) -> str:
        return self.placement.address

    @property
    def main_port(self) -> int:
        return self.placement.port

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self.placement.world

    def set_world_size(self, size: int) -> None:
        """Does nothing: the number of processes is known."""

    def global_rank(self) -> int:
        return self.placement.rank

    def set_global_rank(self, rank: int) -> None:
        """Does nothing: the place of this process is known."""

    def local_rank(self) -> int:
        return self.placement.local_rank

    def node_rank(self) -> int:
        return self.placement.node


class AllReduce(DDPStrategy):
    """Creates the strategy of several processes with one model each, whose gradients the engine averages."""

    def configure_ddp(self) -> None:
        """Does nothing: a wrapper would forbid steps in which some parameters take no part."""


def choose_strategy(processes: Processes) -> tuple[Strategy | str, ClusterEnvironment]:
    """Returns the strategy for processes, and what it knows of their places.

    A scheduler's variables are read in `placement` alone: Lightning would take signals and checkpoints into its own hands.

    Args:
        processes: The processes.
    """
    if processes.count == 1:
        return "auto", LightningEnvironment()
    return AllReduce(), Joined(processes.placement)


def describe_devices(processes: Processes) -> dict[str, Any]:
    """Returns how many devices and nodes Lightning is told of.

    Args:
        processes: The processes.
    """
    return {"devices": processes.placement.local_world, "num_nodes": processes.placement.nodes}
