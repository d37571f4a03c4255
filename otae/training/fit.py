"""Fitting: from an experiment and a run's folder to trained weights in it."""

from __future__ import annotations

import logging
import random
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console

from ..build import Parts, Shape, build
from ..config import Experiment
from ..errors import RunError
from ..interfaces import Dataset
from ..run import Run
from .batches import Batches
from .callbacks import Interruption, Progress, RandomState
from .codes import fit_prior
from .history import History, cut
from .layout import channels_last
from .module import Engine
from .splits import split

LAST, BEST = "last.ckpt", "best.ckpt"


def fit(run: Run, console: Console | None = None) -> None:
    """Trains a run to its end, from its last checkpoint where there is one, fits its prior to the codes where that is
    what the prior asks for, and saves the weights.

    Args:
        run: The run, whose folder holds the resolved configuration.
        console: Where progress is shown; nowhere where `None`.

    Raises:
        NonFiniteError: If a loss or gradient is not finite; the last checkpoint is kept.
        Interrupted: If a signal asked to stop; the checkpoint is that of the last step.
        RunError: If the checkpoint cannot be read.
    """
    experiment = run.experiment
    dataset = run.dataset
    shape = Shape(dataset.data_shape, dataset.value_range)
    checkpoints = run.path / "checkpoints"
    last = checkpoints / LAST
    with seeded(experiment.seed), _threads(experiment.training.threads), _quiet():
        parts = build(experiment, shape)
        for module in (parts.model, parts.objective):
            channels_last(module)
        engine = Engine(parts, experiment.training, experiment.seed)
        trainer = _trainer(experiment, run.path, parts, console)
        train, validation = _loaders(experiment, dataset)
        if resuming := last.exists():
            step = _read(last)["otae_step"]
            cut(run.path / "metrics.csv", step)
            train.seek(step)
        started = time.monotonic()
        try:
            trainer.fit(engine, train, validation, ckpt_path=last if resuming else None, weights_only=True)
        finally:
            run.add_training_time(time.monotonic() - started)
    best = checkpoints / BEST
    if experiment.training.early_stopping and best.exists():
        engine.load_state_dict(_read(best)["state_dict"])
    if parts.model.prior.fits_codes:
        with seeded(experiment.seed), _threads(experiment.training.threads):
            fit_prior(parts.model, _in_order(experiment, dataset))
    run.save(parts, shape)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seeds every global generator for as long as the context lasts, and restores their states afterwards.

    Args:
        seed: The experiment's seed.
    """
    python, legacy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Sets the number of torch's threads for as long as the context lasts; `None` leaves it as it is."""
    former = torch.get_num_threads()
    torch.set_num_threads(count or former)
    try:
        yield
    finally:
        torch.set_num_threads(former)


def _trainer(experiment: Experiment, folder: Path, parts: Parts, console: Console | None) -> Trainer:
    training = experiment.training
    return Trainer(
        accelerator=training.accelerator,
        devices=1,
        precision=training.precision,
        max_epochs=training.epochs,
        logger=[
            History(folder / "metrics.csv", _columns(parts)),
            TensorBoardLogger(folder, name="", version="tensorboard"),
        ],
        callbacks=_callbacks(experiment, folder / "checkpoints", console),
        enable_progress_bar=console is not None,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        log_every_n_steps=1,
    )


def _callbacks(experiment: Experiment, checkpoints: Path, console: Console | None) -> list[Callback]:
    stopping = experiment.training.early_stopping
    callbacks: list[Callback] = [
        RandomState(),
        Interruption(checkpoints / LAST),
        ModelCheckpoint(
            checkpoints, LAST.removesuffix(".ckpt"), enable_version_counter=False, save_on_train_epoch_end=True
        ),
    ]
    if stopping:
        monitor = f"validation/{stopping.monitor}"
        callbacks += [
            EarlyStopping(monitor, stopping.min_delta, stopping.patience, check_finite=False),
            ModelCheckpoint(checkpoints, BEST.removesuffix(".ckpt"), monitor, enable_version_counter=False),
        ]
    return [*callbacks, *([Progress(console)] if console else [])]


def _columns(parts: Parts) -> list[str]:
    names = [name for name, _ in parts.objective]
    adversaries = [f"{name}.adversary" for name, term in parts.objective if term.cost.adversary is not None]
    return ["total", *(column for name in names for column in (name, f"{name}.weighted")), *adversaries, "lr"]


def _loaders(experiment: Experiment, dataset: Dataset) -> tuple[Batches, Batches]:
    data, seed = experiment.data, experiment.seed
    parts = split(len(dataset), data, seed)
    train = Batches(dataset, parts.train, data.batch_size, seed, data.workers)
    return train, Batches(dataset, parts.validation, data.batch_size, workers=data.workers)


def _in_order(experiment: Experiment, dataset: Dataset) -> Batches:
    data = experiment.data
    return Batches(dataset, split(len(dataset), data, experiment.seed).train, data.batch_size, workers=data.workers)


def _read(path: Path) -> dict[str, Any]:
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise RunError(
            f"The checkpoint {path} cannot be read ({error}). Remove it to start from the beginning."
        ) from error
    return checkpoint


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences Lightning's advertisements and the warnings that do not concern otae's users."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
        warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")  # frozen parts are
        warnings.filterwarnings("ignore", message=".*checkpoint that ended before the epoch ended.*")
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*", category=FutureWarning)
        try:
            yield
        finally:
            logger.setLevel(level)
