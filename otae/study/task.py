"""One point's work, in any process: train it, or continue it, or judge it anew; and what came of it."""

from __future__ import annotations

import os
import pickle
import platform
import shutil
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cloudpickle

from ..config import parse
from ..evaluation import evaluate
from ..files import write_text
from ..registry import registries
from ..report import write_report
from ..run import Run
from ..workflow import resume, train
from .memory import PeakMemory

_Plugins = tuple[tuple[str, str, type[Any]], ...]


@dataclass(frozen=True)
class Session:
    """Holds what a process needs to know of the one that started the study.

    Args:
        plugins: The plugins that were registered by hand, pickled: kind, name and class.
        paths: Where modules are found.
    """

    plugins: bytes
    paths: tuple[str, ...]

    @classmethod
    def current(cls) -> Session:
        """Returns what other processes need to know of this one."""
        plugins: _Plugins = tuple(
            (kind, offer.name, registry.get(offer.name))
            for kind, registry in registries().items()
            for offer in registry.offers()
            if offer.distribution == "session"
        )
        return cls(cloudpickle.dumps(plugins), tuple(sys.path))

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Offers the plugins here too, for as long as the work lasts."""
        sys.path += [path for path in self.paths if path not in sys.path]
        plugins: _Plugins = pickle.loads(self.plugins)
        known = registries()
        missing = [(known[kind], name, plugin) for kind, name, plugin in plugins if name not in known[kind].names()]
        for registry, name, plugin in missing:
            registry.register(name, plugin)
        try:
            yield
        finally:
            for registry, name, _ in missing:
                registry.unregister(name)


@dataclass(frozen=True)
class Task:
    """Holds what a process needs to know of a point.

    Args:
        hash: What identifies the point.
        title: What it is called.
        config: Its resolved configuration, as plain values.
        path: The run's folder.
        marker: The file that is there while the point is worked on.
        stop: The file that asks not to begin, where it is there.
        session: What to know of the process that started the study.
        report: Whether to write the run's report.
        judge: Whether to judge it anew, also where it was judged before.
    """

    hash: str
    title: str
    config: Mapping[str, Any]
    path: Path
    marker: Path
    stop: Path
    session: Session
    report: bool = True
    judge: bool = False


@dataclass(frozen=True)
class Outcome:
    """Holds what came of a point.

    Args:
        hash: What identifies the point.
        state: Whether it is done, failed, or was interrupted, which a later start continues.
        seconds: The time it took.
        memory: The peak of memory, in bytes.
        gpu_memory: The peak of memory that torch held on the GPU, in bytes, or `None`.
        machine: The machine's name.
        error: What went wrong, or nothing.
        traceback: Where it went wrong, or nothing.
        warnings: What was warned of.
    """

    hash: str
    state: Literal["done", "failed", "interrupted"]
    seconds: float = 0.0
    memory: int = 0
    gpu_memory: int | None = None
    machine: str = ""
    error: str = ""
    traceback: str = ""
    warnings: tuple[str, ...] = ()


def work(task: Task) -> Outcome:
    """Returns what came of a point, trained in this process; an error is a part of it, and is not raised.

    Args:
        task: What to know of the point.
    """
    if task.stop.exists():
        return Outcome(task.hash, "interrupted")
    started, memory = time.monotonic(), PeakMemory()
    state: Literal["done", "failed", "interrupted"] = "done"
    error, trace = "", ""
    write_text(task.marker, f"{platform.node()} {os.getpid()}\n")
    with warnings.catch_warnings(record=True) as caught, memory:
        warnings.simplefilter("default")
        try:
            with task.session.entered():
                _train(task)
        except KeyboardInterrupt:
            state = "interrupted"
        except (Exception, SystemExit) as failure:  # one point must not spoil a study, whatever its plugins raise
            state, error, trace = "failed", f"{type(failure).__name__}: {failure}", traceback.format_exc()
        finally:
            task.marker.unlink(missing_ok=True)
    return Outcome(
        task.hash,
        state,
        round(time.monotonic() - started, 3),
        memory.host,
        memory.device,
        platform.node(),
        error,
        trace,
        tuple(dict.fromkeys(str(each.message) for each in caught)),
    )


def _train(task: Task) -> Run:
    if not _begun(task.path):
        experiment = parse(task.config, task.title).titled(task.title)
        return train(experiment, task.path, report=task.report)
    run = Run(task.path)
    if not _is_complete(task.path):
        run = resume(task.path, report=task.report)
    if task.judge:
        section = parse(task.config, task.title).evaluation
        evaluate(run, metrics=section.metrics, samples=section.samples, limit=section.limit, splits=section.splits)
        (task.path / "report.html").unlink(missing_ok=True)
    if task.report and not (task.path / "report.html").is_file():
        write_report(run)
    return run


def _begun(path: Path) -> bool:
    """Returns whether there is something to continue; what was left of a run that never came so far is removed."""
    if _is_complete(path) or any(path.glob("checkpoints/*")):
        return True
    if path.exists():
        shutil.rmtree(path)
    return False


def _is_complete(path: Path) -> bool:
    return (path / "model.safetensors").is_file() and (path / "evaluation.json").is_file()
