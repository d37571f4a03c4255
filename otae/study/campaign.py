"""A study at work: its points trained, its table and its page written."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..files import file_name, write_text
from .declaration import Declaration, Source, declare, read_declaration
from .executors import create_executor
from .folder import Record, StudyFolder
from .page import write_page
from .points import Point, expand
from .study import Study
from .table import write_tables
from .task import Session, Task

_GRACE = 60.0  # seconds that interrupted processes have to save where they are

Listener = Callable[[Point, Record | None], None]


def run_study(
    study: str | Path | Mapping[str, Any] | Source,
    output: str | Path | None = None,
    *,
    executor: Mapping[str, Any] | None = None,
    retry: bool = False,
    report: bool = True,
    listener: Listener | None = None,
) -> Study:
    """Returns a study: every point trained that was not, its table and its page written.

    A point is known by the hash of its resolved configuration: one that is done is not trained again, one that was interrupted
    goes on from its last checkpoint, one that failed is left out unless it is to be tried again. Where only the section
    `evaluation` changed, a point is judged anew and not trained.

    Args:
        study: The declaration: a YAML file, or the same as plain values.
        output: The study's folder; `studies/TITLE` where `None`.
        executor: Where the points are trained: `{"name": "local", "jobs": 4}`; as declared where `None`.
        retry: Whether to try points again that failed.
        report: Whether each run gets a report of its own.
        listener: Called with each point that ends, and with all that need no training at the beginning.

    Raises:
        ConfigError: If an option is unknown or not allowed, before anything trains; the message names file, line and path.
        RunError: If the folder is in use, or no point is done in the end.
        KeyboardInterrupt: If a signal asked to stop; the same call goes on from there.

    Examples:
        >>> study = otae.run_study({"base": ["gwae", "vae"], "seeds": 3})  # doctest: +SKIP
        >>> study.compare().columns  # doctest: +SKIP
    """
    source = _source(study)
    points = expand(source)
    chosen = source.declaration.executor
    options = dict(executor) if executor is not None else {"name": chosen.name, **chosen.options}
    runner = create_executor(str(options.pop("name", "local")), options, source.place("executor"))
    folder = StudyFolder((Path(output) if output else Path("studies") / file_name(source.title)).expanduser().resolve())
    with folder.locked():
        _write_declaration(folder.path, source.declaration)
        records = {point.hash: record for point in points if (record := folder.record(point))}
        tasks = _tasks(folder, points, records, retry=retry, report=report)
        by_hash = {point.hash: point for point in points}
        for point in points:
            if listener and point.hash not in tasks and point.hash in records:
                listener(point, records[point.hash])
        with _interruptible(folder):
            for outcome in runner.run(list(tasks.values()), folder.path) if tasks else ():
                point = by_hash[outcome.hash]
                if outcome.state == "interrupted":
                    folder.stop.touch()
                else:
                    records[outcome.hash] = folder.keep(point, outcome)
                if listener:
                    listener(point, records.get(outcome.hash))
        result = Study(source, folder.path, points, records)
        if left := len({point.hash for point in points} - set(records)):
            raise KeyboardInterrupt(f"the study was interrupted with {left} points left; the same command goes on")
        _write_results(result)
    return result


def _source(study: str | Path | Mapping[str, Any] | Source) -> Source:
    match study:
        case Source():
            return study
        case str() | Path():
            return read_declaration(Path(study).expanduser())
        case _:
            return declare(study)


def _tasks(
    folder: StudyFolder, points: Sequence[Point], records: Mapping[str, Record], *, retry: bool, report: bool
) -> dict[str, Task]:
    session = Session.current()
    tasks: dict[str, Task] = {}
    for point in points:
        record = records.get(point.hash)
        judge = record is not None and record.state == "done" and record.evaluation != point.evaluation
        if record is None or judge or (retry and record.state == "failed"):
            config, path = point.experiment.to_dict(), folder.run(point)
            marker = folder.marker(point)
            marker.unlink(missing_ok=True)
            tasks[point.hash] = Task(
                point.hash, point.variant, config, path, marker, folder.stop, session, report, judge
            )
    return tasks


def _write_declaration(path: Path, declaration: Declaration) -> None:
    import yaml

    values = declaration.model_dump(mode="json", exclude_defaults=True)
    write_text(path / "study.yaml", yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def _write_results(study: Study) -> None:
    write_tables(study)
    write_page(study)


@contextmanager
def _interruptible(folder: StudyFolder) -> Iterator[None]:
    """Lets processes save where they are before a signal ends the study."""

    def forward(*_: object) -> None:
        _terminate(folder)
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    former = signal.signal(signal.SIGTERM, forward) if main else None
    try:
        yield
    except KeyboardInterrupt:
        folder.stop.touch()
        _wait(folder)
        raise
    finally:
        if main:
            signal.signal(signal.SIGTERM, former)


def _terminate(folder: StudyFolder) -> None:
    """Passes SIGTERM on to the processes of this machine: a terminal's Ctrl-C reaches them by itself."""
    for marker in folder.markers():
        machine, _, process = marker.read_text(encoding="utf-8").partition(" ")
        if machine == os.uname().nodename and int(process) != os.getpid():
            os.kill(int(process), signal.SIGTERM)


def _wait(folder: StudyFolder) -> None:
    ends = time.monotonic() + _GRACE
    while folder.markers() and time.monotonic() < ends:
        time.sleep(0.1)
