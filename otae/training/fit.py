"""Fitting: from an experiment and a run's folder to trained weights in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console

from ..build import Parts, Shape, build
from ..comparison import Changes, find_changes, to_canonical
from ..config import Experiment
from ..fingerprint import Fingerprint, compute_fingerprint
from ..interfaces import Dataset
from ..kept_data import find_splits, keep_data
from ..optimizers import check_length
from ..run import Run
from ..splits import Splits
from ..transport import Transport
from .batches import Batches
from .callbacks import Interruption, Progress, RandomState, Saving, Stopping, Warmup
from .checkpoints import Checkpoint, Checkpoints
from .codes import fit_prior
from .continuation import continue_judgement, require_accepted, require_same_data
from .divergence import diverging
from .events import keep_events
from .history import History
from .layout import channels_last
from .leadership import numbered
from .module import Engine
from .position import Judgement, Position
from .processes import Processes
from .quiet import quiet
from .randomness import seeded
from .readiness import check_single_samples, uses_gpu
from .rehearsal import read_samples, rehearse
from .restoring import prepare, require_weights
from .start import load_start
from .strategy import choose_strategy, describe_devices
from .threads import count_threads, limit_threads


def fit(run: Run, console: Console | None = None, processes: Processes | None = None) -> None:
    """Trains a run to its end, from its last checkpoint where there is one, fits its prior to the codes where that is
    what the prior asks for, and saves the weights.

    Args:
        run: The run, whose folder holds the resolved configuration.
        console: Where progress is shown; nowhere where `None`.
        processes: The processes that train; as the configuration says where `None`.

    Raises:
        NonFiniteError: If a loss or gradient is not finite; the last checkpoint is kept.
        Interrupted: If a signal asked to stop; the checkpoint is that of the last step.
        RunError: If the checkpoints cannot be read, or are of another configuration or other data.
    """
    experiment = run.experiment
    processes = processes or Processes.find(experiment.training)
    with processes.running(run), limit_threads(count_threads(experiment.training.threads, processes)), quiet():
        prepared = _prepare(run, processes)
        parts = _train(run, prepared, processes, console)
    if not processes.leads:
        return
    if parts.model.prior.fits_codes:
        with seeded(experiment.seed), limit_threads(experiment.training.threads):
            fit_prior(parts.model, _in_order(experiment, run.dataset, prepared.splits))
    run.save(parts, prepared.shape)


@dataclass(frozen=True)
class _Prepared:
    """Holds what a training begins or goes on with.

    Args:
        shape: What the data tell.
        data: What identifies the data.
        splits: The splits.
        train: The batches to train on.
        validation: The batches to validate on, or `None`.
        checkpoints: The checkpoints of the run.
        checkpoint: The one to go on from, or `None`.
        changes: What changed since.
    """

    shape: Shape
    data: Fingerprint
    splits: Splits
    train: Batches
    validation: Batches | None
    checkpoints: Checkpoints
    checkpoint: Checkpoint | None
    changes: Changes


def _prepare(run: Run, processes: Processes) -> _Prepared:
    """Returns what is needed to train, all of it checked."""
    experiment, dataset = run.experiment, run.dataset
    shape = Shape(dataset.data_shape, dataset.value_range)
    if len(dataset):
        read_samples(dataset, range(min(2, len(dataset))))
    checkpoints = Checkpoints(run.path)
    checkpoint = checkpoints.read()
    data = compute_fingerprint(dataset)
    replaced = checkpoint is not None and require_same_data(run, checkpoint.position, data)
    changes = _changes(run, checkpoint)
    splits = find_splits(run, dataset)
    if processes.leads:
        keep_data(run, dataset, data, splits, anew=replaced)
    with seeded(experiment.seed):
        train, validation = _loaders(experiment, dataset, splits, processes)
        check_length(experiment.training, len(train))
        if checkpoint is None and processes.leads:
            _rehearse(partial(build, experiment, shape), train, validation)
    return _Prepared(shape, data, splits, train, validation, checkpoints, checkpoint, changes)


def _train(run: Run, prepared: _Prepared, processes: Processes, console: Console | None) -> Parts:
    """Returns the trained parts, with the weights to be kept."""
    experiment, checkpoint, train = run.experiment, prepared.checkpoint, prepared.train
    processes.join(uses_gpu(experiment.training))
    with seeded(experiment.seed):
        parts = build(experiment, prepared.shape)
        for module in (parts.model, parts.objective):
            channels_last(module)
        sizes = {"train": train.measure} | ({"validation": prepared.validation.measure} if prepared.validation else {})
        engine = Engine(parts, experiment.training, experiment.seed, processes.exchange, sizes)
        start = Position(
            step=0, epochs=0, rows=0, judgement=Judgement(), configuration=to_canonical(experiment), data=prepared.data
        )
        position = checkpoint.position if checkpoint else start
        stopping = _stopping(experiment, position, checkpoint, prepared.changes)
        if checkpoint and (stopping.judgement.stopped or position.step >= experiment.training.epochs * len(train)):
            _load(engine, checkpoint)
        else:
            history = _open_history(run, parts, position) if processes.leads else None
            saving = Saving(prepared.checkpoints, history, stopping, start)
            warmup = Warmup(_in_order(experiment, run.dataset, prepared.splits), len(train))
            callbacks = [RandomState(), warmup, Interruption(saving, processes.exchange), stopping, saving]
            trainer = _trainer(experiment, run.path, history, prepared.checkpoints, callbacks, console, processes)
            if checkpoint:
                prepare(checkpoint, engine, trainer, prepared.changes)
            else:
                load_start(run, engine)
            train.seek(position.step)
            _drive(run, engine, trainer, prepared, processes)
    if stopping.weights:
        engine.load_state_dict(stopping.weights)
    return parts


def _drive(run: Run, engine: Engine, trainer: Trainer, prepared: _Prepared, processes: Processes) -> None:
    checkpoints, started = prepared.checkpoints, time.monotonic()
    checkpoint = checkpoints.last if prepared.checkpoint else None
    try:
        with numbered(processes.placement.rank), diverging(engine, checkpoints):
            trainer.fit(engine, prepared.train, prepared.validation, ckpt_path=checkpoint, weights_only=True)
    finally:
        if processes.leads:
            run.add_training_time(time.monotonic() - started)


def _open_history(run: Run, parts: Parts, position: Position) -> History:
    keep_events(run.path / "tensorboard", position.step)
    return History(run.path / "metrics.csv", _columns(parts), position.rows)


def _rehearse(make: Callable[[], Parts], train: Batches, validation: Batches | None) -> None:
    """Checks the parts before anything is trained, with fresh ones that are thrown away."""
    check_single_samples(make(), {"train": train, **({} if validation is None else {"validation": validation})})
    rehearse(make, train.dataset, train.indices[: -(-len(train.indices) // len(train))].tolist())


def _changes(run: Run, checkpoint: Checkpoint | None) -> Changes:
    """Returns what changed since a checkpoint, all of it asked for."""
    if checkpoint is None:
        return {}
    changes = find_changes(checkpoint.position.configuration, run.experiment)
    require_accepted(run, changes)
    return changes


def _stopping(experiment: Experiment, position: Position, checkpoint: Checkpoint | None, changes: Changes) -> Stopping:
    judgement = continue_judgement(position.judgement, changes)
    best = checkpoint.best if checkpoint and judgement.lowest is not None else None
    return Stopping(experiment.training.early_stopping, judgement, best)


def _load(engine: Engine, checkpoint: Checkpoint) -> None:
    require_weights(checkpoint, engine)
    if any(value.dtype == torch.float64 for value in checkpoint.weights.values()):
        engine.double()
    engine.load_state_dict(checkpoint.weights)


def _trainer(
    experiment: Experiment,
    folder: Path,
    history: History | None,
    checkpoints: Checkpoints,
    callbacks: list[Callback],
    console: Console | None,
    processes: Processes,
) -> Trainer:
    training = experiment.training
    strategy, environment = choose_strategy(processes)
    return Trainer(
        accelerator=training.accelerator,
        **describe_devices(processes),
        strategy=strategy,
        precision=training.precision,
        max_epochs=training.epochs,
        logger=False if history is None else [history, TensorBoardLogger(folder, name="", version="tensorboard")],
        callbacks=[*callbacks, *([Progress(console)] if console else [])],
        plugins=[checkpoints, environment],
        default_root_dir=folder,  # no checkpoint of the working directory is taken for one of the run
        enable_progress_bar=console is not None,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        log_every_n_steps=1,
    )


def _columns(parts: Parts) -> list[str]:
    names = [name for name, _ in parts.objective]
    adversaries = [f"{name}.adversary" for name, term in parts.objective if term.cost.adversary is not None]
    solved = [f"{name}.unconverged" for name, term in parts.objective if isinstance(term.cost, Transport)]
    return ["total", *(column for name in names for column in (name, f"{name}.weighted")), *adversaries, *solved, "lr"]


def _loaders(
    experiment: Experiment, dataset: Dataset, splits: Splits, processes: Processes
) -> tuple[Batches, Batches | None]:
    data, shared = experiment.data, {"processes": processes.count, "rank": processes.placement.rank}
    train = Batches(dataset, splits.train, data.batch_size, experiment.seed, data.workers, **shared)
    if not splits.validation:
        return train, None
    return train, Batches(dataset, splits.validation, data.batch_size, workers=data.workers, **shared)


def _in_order(experiment: Experiment, dataset: Dataset, splits: Splits) -> Batches:
    return Batches(dataset, splits.train, experiment.data.batch_size, workers=experiment.data.workers)
