"""Training from start to end: fit, evaluate, report."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from .build import resolve, take_memory
from .config import Experiment
from .errors import ConfigError, RunError, Stopped
from .evaluation import Specimens, check_metrics, judge
from .faults import blaming
from .files import file_name
from .folder import remove, require_own_folders
from .interfaces import InMemory
from .loading import load_config
from .lock import locked
from .report import write_report
from .run import Run
from .training import Interrupted, Processes, accept_data, check_accelerator, fit, go_on, start_from


def train(
    experiment: Experiment,
    output: str | Path | None = None,
    *,
    data: Any = None,
    labels: Any = None,
    factors: Any = None,
    start: str | Path | Run | None = None,
    overwrite: bool = False,
    console: Console | None = None,
    evaluation: bool = True,
    report: bool = True,
) -> Run:
    """Returns the run of an experiment: trained, evaluated, and with its report.

    Args:
        experiment: The experiment, as `load_config` gives it.
        output: The run's folder, new or empty; a dated one under `runs/` where `None`.
        data: Data in memory, in place of the configured dataset: an array or tensor with shape (N, …), a data frame of pandas,
            or a `Dataset`. A run keeps how they were scaled, and not the data.
        labels: One class per sample of `data`, whole numbers or text; the name of a data frame's column.
        factors: What generated each sample of `data`: a table with shape (N, F), a data frame, or `Factors`.
        start: A run from whose weights to start, those that fit by name and shape; from fresh weights where `None`.
        overwrite: Whether to replace a run that is in the folder.
        console: Where progress is shown; nowhere where `None`.
        evaluation: Whether to evaluate the trained model.
        report: Whether to write the report.

    Raises:
        ConfigError: If an option is not allowed.
        DataError: If the data are missing or corrupt.
        NonFiniteError: If a loss, gradient or weight is not finite; the last checkpoint is kept.
        PartError: If a part fails, or returns what it must not.
        KeyboardInterrupt: If a signal asked to stop; `resume` continues from that step.
        RunError: If the folder is in use, or holds something else.
    """
    if data is None and (labels is not None or factors is not None):
        raise ConfigError("labels and factors go with data in memory: give data, or options of the configured dataset.")
    resolved = resolve(experiment if data is None else take_memory(experiment)).titled(experiment.title)
    check_accelerator(resolved.training)
    processes, memory = Processes.find(resolved.training), None if data is None else InMemory(data, labels, factors)
    if processes.follows:
        return _follow(processes, memory)
    folder = _folder(resolved, output)
    with processes.leading():
        run = Run.create(folder, resolved, overwrite=overwrite)
        run.memory = memory
        with locked(folder):
            try:
                with blaming():
                    if start is not None:
                        _tell(console, start_from(run, Run(start) if isinstance(start, str | Path) else start))
                    return _finish(run, processes, console, evaluation, report)
            except Exception:
                remove(folder)  # a mistake found before the first step leaves no folder behind
                raise


def resume(
    path: str | Path | Run,
    overrides: Iterable[str] = (),
    *,
    epochs: int | None = None,
    anyway: bool = False,
    console: Console | None = None,
    evaluation: bool = True,
    report: bool = True,
) -> Run:
    """Returns a run, continued from its last checkpoint to its end; on the CPU the weights are those of an unbroken run.

    Args:
        path: The run's folder, or the run, with its data where these are in memory.
        overrides: Dotted overrides of what may change while a run goes on, such as `training.optimizer.lr=1e-4`.
        epochs: The number of epochs in all, those that are done included; as configured where `None`.
        anyway: Whether to go on with data that have changed, as many samples of the same shape.
        console: Where progress is shown; nowhere where `None`.
        evaluation: Whether to evaluate the trained model.
        report: Whether to write the report.

    Raises:
        RunError: If the folder holds no run, there is nothing to continue, the configuration or the data are not those
            that the run began with, a change makes it another training, or a plugin is missing.
        KeyboardInterrupt: If a signal asked to stop again.
    """
    run = path if isinstance(path, Run) else Run(path)
    require_own_folders(run.path)
    processes = Processes.find(_with_changes(run, overrides).training)
    if processes.follows:
        return _follow(processes, run.memory)
    with processes.leading(), locked(run.path), blaming():
        _change(run, overrides, epochs, anyway)
        return _finish(run, processes, console, evaluation, report)


def _with_changes(run: Run, overrides: Iterable[str]) -> Experiment:
    asked = list(overrides)
    return load_config(run.path, asked, metrics_too=False) if asked else run.experiment


def _follow(processes: Processes, memory: InMemory | None) -> Run:
    """Returns the run that another process leads, once that one has finished it."""
    with processes.following() as run:
        run.memory = memory
        fit(run, processes=processes)
    return run


def _change(run: Run, overrides: Iterable[str], epochs: int | None, anyway: bool) -> None:
    asked = [*overrides, *([f"training.epochs={epochs}"] if epochs is not None else [])]
    if asked:
        go_on(run, asked)
    elif (run.path / "report.html").exists():
        raise RunError(
            f"The run {run.path} is complete. Go on with it by `otae resume {run.path} --epochs N`, for N epochs in all, or "
            f"train a new one from its weights by `otae train … --from {run.path}`."
        )
    if anyway:
        accept_data(run)


def _finish(run: Run, processes: Processes, console: Console | None, evaluation: bool, report: bool) -> Run:
    check_accelerator(run.experiment.training)
    section = run.experiment.evaluation
    if evaluation:
        check_metrics(section.metrics, run.dataset)
    try:
        processes.announce(run)
        fit(run, console, processes)
    except Interrupted as interruption:
        raise Stopped(f"{interruption}; continue with `otae resume {run.path}`", interruption.number) from interruption
    if not (evaluation or report):
        return run
    specimens = Specimens.of_run(run, anyway=True)  # the data are those just trained on
    if evaluation:
        judge(specimens, section.metrics, console=console).write(run.path)
    if report:
        write_report(run, specimens, console=console)
    return run


def _tell(console: Console | None, text: str) -> None:
    if console is not None:
        console.print(text, highlight=False, soft_wrap=True)


def _folder(experiment: Experiment, path: str | Path | None) -> Path:
    if path is not None:
        return Path(path).expanduser()
    stem = Path("runs") / f"{file_name(experiment.title)}-{datetime.now():%Y%m%d-%H%M%S}"
    taken = (stem.with_name(f"{stem.name}-{number}") for number in range(2, 1000))
    return stem if not stem.exists() else next(folder for folder in taken if not folder.exists())
