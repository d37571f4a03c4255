"""Fitting: from an experiment and a run's folder to trained weights in it."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
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
from .continuation import check_data, continue_judgement, require_accepted
from .divergence import diverging
from .events import keep_events
from .history import History
from .layout import channels_last
from .leadership import leading
from .module import Engine
from .position import Judgement, Position
from .randomness import seeded
from .readiness import check_single_samples
from .rehearsal import read_samples, rehearse
from .restoring import prepare, require_weights
from .start import load_start


def fit(run: Run, console: Console | None = None, *, anyway: bool = False) -> None:
    """Trains a run to its end, from its last checkpoint where there is one, fits its prior to the codes where that is
    what the prior asks for, and saves the weights.

    Args:
        run: The run, whose folder holds the resolved configuration.
        console: Where progress is shown; nowhere where `None`.
        anyway: Whether to go on with data that have changed, as many samples of the same shape.

    Raises:
        NonFiniteError: If a loss or gradient is not finite; the last checkpoint is kept.
        Interrupted: If a signal asked to stop; the checkpoint is that of the last step.
        RunError: If the checkpoints cannot be read, or are of another configuration or other data.
    """
    experiment, dataset = run.experiment, run.dataset
    shape = Shape(dataset.data_shape, dataset.value_range)
    checkpoints = Checkpoints(run.path)
    checkpoint = checkpoints.read()
    data, changes, splits = _check(run, checkpoint, anyway)
    with seeded(experiment.seed), _threads(experiment.training.threads), _quiet():
        train, validation = _loaders(experiment, dataset, splits)
        check_length(experiment.training, len(train))
        if checkpoint is None:
            _rehearse(partial(build, experiment, shape), train, validation)
    with seeded(experiment.seed), _threads(experiment.training.threads), _quiet():
        parts = build(experiment, shape)
        for module in (parts.model, parts.objective):
            channels_last(module)
        engine = Engine(parts, experiment.training, experiment.seed)
        start = Position(
            step=0, epochs=0, rows=0, judgement=Judgement(), configuration=to_canonical(experiment), data=data
        )
        position = checkpoint.position if checkpoint else start
        stopping = _stopping(experiment, position, checkpoint, changes)
        if checkpoint and (stopping.judgement.stopped or position.step >= experiment.training.epochs * len(train)):
            _load(engine, checkpoint)
        else:
            keep_events(run.path / "tensorboard", position.step)
            history = History(run.path / "metrics.csv", _columns(parts), position.rows)
            saving = Saving(checkpoints, history, stopping, start)
            warmup = Warmup(_in_order(experiment, dataset, splits), len(train))
            callbacks = [RandomState(), warmup, Interruption(saving), stopping, saving]
            trainer = _trainer(experiment, run.path, history, checkpoints, callbacks, console)
            if checkpoint:
                prepare(checkpoint, engine, trainer, changes)
            else:
                load_start(run, engine)
            train.seek(position.step)
            started = time.monotonic()
            try:
                with leading(), diverging(engine, checkpoints):
                    trainer.fit(
                        engine, train, validation, ckpt_path=checkpoints.last if checkpoint else None, weights_only=True
                    )
            finally:
                run.add_training_time(time.monotonic() - started)
    if stopping.weights:
        engine.load_state_dict(stopping.weights)
    if parts.model.prior.fits_codes:
        with seeded(experiment.seed), _threads(experiment.training.threads):
            fit_prior(parts.model, _in_order(experiment, dataset, splits))
    run.save(parts, shape)


def _rehearse(make: Callable[[], Parts], train: Batches, validation: Batches | None) -> None:
    """Checks the parts before anything is trained, with fresh ones that are thrown away."""
    check_single_samples(make(), {"train": train, **({} if validation is None else {"validation": validation})})
    rehearse(make, train.dataset, train.indices[: -(-len(train.indices) // len(train))].tolist())


def _check(run: Run, checkpoint: Checkpoint | None, anyway: bool) -> tuple[Fingerprint, Changes, Splits]:
    """Returns what identifies a run's data, what was changed since a checkpoint on demand, and the splits, all kept."""
    dataset, replaced, changes = run.dataset, False, Changes()
    if len(dataset):
        read_samples(dataset, range(min(2, len(dataset))))
    data = compute_fingerprint(dataset)
    if checkpoint is not None:
        replaced = check_data(run, checkpoint.position, data, anyway=anyway)
        changes = find_changes(checkpoint.position.configuration, run.experiment)
        require_accepted(run, changes)
    splits = find_splits(run, dataset)
    keep_data(run, dataset, data, splits, anew=replaced)
    return data, changes, splits


def _stopping(experiment: Experiment, position: Position, checkpoint: Checkpoint | None, changes: Changes) -> Stopping:
    judgement = continue_judgement(position.judgement, changes)
    best = checkpoint.best if checkpoint and judgement.lowest is not None else None
    return Stopping(experiment.training.early_stopping, judgement, best)


def _load(engine: Engine, checkpoint: Checkpoint) -> None:
    require_weights(checkpoint, engine)
    if any(value.dtype == torch.float64 for value in checkpoint.weights.values()):
        engine.double()
    engine.load_state_dict(checkpoint.weights)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Sets the number of torch's threads for as long as the context lasts; `None` leaves it as it is."""
    former = torch.get_num_threads()
    torch.set_num_threads(count or former)
    try:
        yield
    finally:
        torch.set_num_threads(former)


def _trainer(
    experiment: Experiment,
    folder: Path,
    history: History,
    checkpoints: Checkpoints,
    callbacks: list[Callback],
    console: Console | None,
) -> Trainer:
    training = experiment.training
    return Trainer(
        accelerator=training.accelerator,
        devices=1,
        precision=training.precision,
        max_epochs=training.epochs,
        logger=[history, TensorBoardLogger(folder, name="", version="tensorboard")],
        callbacks=[*callbacks, *([Progress(console)] if console else [])],
        plugins=[checkpoints, LightningEnvironment()],  # a scheduler's variables concern its own processes
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


def _loaders(experiment: Experiment, dataset: Dataset, splits: Splits) -> tuple[Batches, Batches | None]:
    data = experiment.data
    train = Batches(dataset, splits.train, data.batch_size, experiment.seed, data.workers)
    held_out = Batches(dataset, splits.validation, data.batch_size, workers=data.workers) if splits.validation else None
    return train, held_out


def _in_order(experiment: Experiment, dataset: Dataset, splits: Splits) -> Batches:
    return Batches(dataset, splits.train, experiment.data.batch_size, workers=experiment.data.workers)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences Lightning's advertisements and the warnings that do not concern otae's users."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
        warnings.filterwarnings("ignore", message=".*have no `val_dataloader`.*")  # a share of 0 asks for none
        warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")  # frozen parts are
        warnings.filterwarnings("ignore", message=".*checkpoint that ended before the epoch ended.*")
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*", category=FutureWarning)
        try:
            yield
        finally:
            logger.setLevel(level)
