"""Processes on this machine, by joblib."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from joblib import Parallel, cpu_count, delayed, parallel_config
from pydantic import PositiveInt

from ..task import Outcome, Task, work
from .interface import Executor, died


class Local(Executor):
    """Creates processes on this machine, which share its processors out.

    Args:
        jobs: The number of points that are trained at the same time; one for each processor if left out, and one in all
            where there is a GPU. One alone is trained in this very process.
        threads: The number of threads of each; the processors shared out evenly if left out.
    """

    def __init__(self, jobs: PositiveInt | None = None, threads: PositiveInt | None = None) -> None:
        self.jobs, self.threads = jobs, threads

    def run(self, tasks: Sequence[Task], folder: Path) -> Iterator[Outcome]:
        jobs = min(self.jobs or _default_jobs(), len(tasks))
        if jobs <= 1:
            yield from map(work, tasks)
            return
        threads = self.threads or max(1, cpu_count() // jobs)
        left = {task.hash: task for task in tasks}
        while left:
            try:
                for outcome in _parallel(list(left.values()), jobs, threads):
                    del left[outcome.hash]
                    yield outcome
            except BrokenProcessPool:  # one process was killed, and all others with it
                suspects = [task for task in left.values() if task.marker.exists()] or list(left.values())
                for task in suspects:
                    del left[task.hash]
                    yield _alone(task, threads)


def _parallel(tasks: Sequence[Task], jobs: int, threads: int) -> Iterator[Outcome]:
    with parallel_config(backend="loky", inner_max_num_threads=threads):
        parallel = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch=jobs)
        yield from parallel(delayed(work)(task) for task in tasks)


def _alone(task: Task, threads: int) -> Outcome:
    """Returns the outcome of a task in a process of its own: only the one that ends its process fails."""
    try:
        return next(_parallel([task], 2, threads))
    except BrokenProcessPool as error:
        return died(task, "The process was killed, or ran out of memory", error)


def _default_jobs() -> int:
    import torch  # several trainings on one GPU mostly hinder each other

    return 1 if torch.cuda.is_available() else int(cpu_count())
