"""Processes on one machine or a cluster, by Ray."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ..task import Outcome, Task, work
from .interface import Executor, died


class Ray(Executor):
    """Creates processes by Ray, on this machine or on a cluster of which every machine sees the study's folder.

    Args:
        address: The address of a cluster, or `auto`; Ray is started on this machine if left out.
        cpus: The processors of each point.
        gpus: The GPUs of each point; a half lets two points share one.
    """

    def __init__(
        self,
        address: str | None = None,
        cpus: Annotated[float, Field(gt=0)] = 1.0,
        gpus: Annotated[float, Field(ge=0)] = 0.0,
    ) -> None:
        self.address, self.cpus, self.gpus = address, cpus, gpus

    def run(self, tasks: Sequence[Task], folder: Path) -> Iterator[Outcome]:
        import ray

        started = not ray.is_initialized()
        if started:
            ray.init(address=self.address, include_dashboard=False, log_to_driver=False)
        # a process for each point, so that its peak of memory is its own; a point that kills it is not tried again
        remote = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_calls=1, max_retries=0)(work)
        waiting = {remote.remote(task): task for task in tasks}
        try:
            while waiting:
                (ready, *_), _ = ray.wait(list(waiting), num_returns=1)
                task = waiting.pop(ready)
                try:
                    yield ray.get(ready)
                except ray.exceptions.RayError as error:
                    yield died(task, "Ray lost the process", error)
        finally:
            for reference in waiting:
                ray.cancel(reference)
            if started:
                ray.shutdown()
