"""Jobs of Slurm, by submitit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from ..task import Outcome, Task, work
from .interface import Executor, died


class Slurm(Executor):
    """Creates jobs of Slurm, one for each point; every machine sees the study's folder.

    Args:
        cluster: `slurm`, or `local` for processes on this machine, to try it out.
        minutes: The longest that a point may take.
        partition: The partition.
        cpus: The processors of each point.
        gpus: The GPUs of each point.
        memory: The memory of each point in GB; the partition's own if left out.
        jobs: The number of points that are trained at the same time.
        more: Further parameters of submitit, such as `slurm_account`.
    """

    def __init__(
        self,
        cluster: Literal["slurm", "local"] = "slurm",
        minutes: PositiveInt = 240,
        partition: str | None = None,
        cpus: PositiveInt = 1,
        gpus: Annotated[int, Field(ge=0)] = 0,
        memory: PositiveFloat | None = None,
        jobs: PositiveInt = 100,
        more: dict[str, Any] | None = None,
    ) -> None:
        self.cluster, self.jobs = cluster, jobs
        asked = {"slurm_partition": partition, "mem_gb": memory, "slurm_array_parallelism": jobs}
        self.parameters = {"timeout_min": minutes, "cpus_per_task": cpus, "gpus_per_node": gpus} | (more or {})
        self.parameters |= {name: value for name, value in asked.items() if value is not None}

    def run(self, tasks: Sequence[Task], folder: Path) -> Iterator[Outcome]:
        import submitit

        executor = submitit.AutoExecutor(folder / "jobs", cluster=self.cluster)
        executor.update_parameters(**self.parameters)
        waiting = dict(zip(executor.map_array(work, tasks), tasks, strict=True))
        try:
            for job in submitit.helpers.as_completed(list(waiting)):
                task = waiting.pop(job)
                try:
                    yield job.result()
                except (submitit.core.utils.FailedJobError, submitit.core.utils.UncompletedJobError) as error:
                    yield died(task, f"The job {job.job_id} ended without a result", error)
        finally:
            for job in waiting:
                job.cancel()
