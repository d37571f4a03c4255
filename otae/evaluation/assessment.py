"""The evaluation of a run, or of any autoencoder, by metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from torch import Tensor

from ..autoencoder import Autoencoder
from ..errors import ConfigError
from ..files import require_writable
from ..interfaces import Dataset
from ..objective import Objective
from ..run import Run
from .judgement import judge
from .result import EVALUATION, Evaluation
from .selection import MetricLike
from .specimens import Specimens


def evaluate(
    model: str | Path | Run | Autoencoder,
    dataset: Dataset | Tensor | None = None,
    metrics: Iterable[MetricLike] | None = None,
    *,
    train: Dataset | Tensor | None = None,
    objective: Objective | None = None,
    samples: int | None = None,
    limit: int | None = None,
    splits: Sequence[str] | None = None,
    anyway: bool = False,
    seed: int = 0,
    console: Console | None = None,
) -> Evaluation:
    """Returns what metrics say of a run, or of any autoencoder.

    A run is judged on its own data, and the result is written to its `evaluation.json`. What is left out is taken from the
    section `evaluation` of its configuration. An autoencoder, also one built by hand, is judged on a dataset as a whole,
    the split `all`. A metric that needs what model or data lack is skipped, and the result says why; so it does of one
    that fails. Everything is drawn from one seed: the same call gives the same figures, and no global state changes.

    Args:
        model: A run, its folder, or an autoencoder.
        dataset: The data to judge an autoencoder on, or its samples with shape (N, *data_shape); not for a run.
        metrics: The metrics: names, `{"name": …, option: …}`, or instances; `default` stands for every installed one that
            is not costly, and is taken where `None`.
        train: The data that an autoencoder was trained on, for baselines; those of `dataset` where `None`.
        objective: The objective that an autoencoder was trained on, for metrics that ask for it.
        samples: The number of generations to judge; 10,000 where nothing else is said.
        limit: The largest number of samples of a split to judge, drawn by seed where there are more: it bounds memory.
            Of samples of more than 6,710 values, fewer are judged, and drawn: 2²⁶ values in all, but at least 1,000 samples.
        splits: The splits of a run to judge: of `train`, `validation`, `test`, and `all` of them together.
        anyway: Whether to judge a run on data that have changed since it was trained.
        seed: The seed of an autoencoder's evaluation; a run has its own.
        console: Where progress is shown; nowhere where `None`.

    Raises:
        PluginError: If a metric that is asked for is unknown or broken.
        ConfigError: If an option or a number is not allowed, a metric that is asked for by name needs labels or factors
            that the data lack, there is no dataset for an autoencoder, or one for a run, or the run's folder is read-only.
        RunError: If the folder holds no run, it was not trained to its end, its data have changed, or a plugin
            is missing.
        DataError: If the data are missing or corrupt.

    Examples:
        >>> otae.evaluate("runs/gwae", metrics=["reconstruction"])["test"]["reconstruction"]["ratio"]  # doctest: +SKIP
        0.61
    """
    if isinstance(model, Autoencoder):
        if dataset is None:
            raise ConfigError("An autoencoder is judged on data: give a dataset, or samples of shape (N, *data_shape).")
        specimens = Specimens.of_model(
            model, dataset, train=train, objective=objective, samples=samples, limit=limit, seed=seed
        )
        return judge(specimens, metrics or ["default"], strict=metrics is not None, console=console)
    if dataset is not None or train is not None or objective is not None:
        raise ConfigError(
            "A run is judged on its own data and objective: leave out dataset, train and objective, or judge `run.model`. "
            "Metrics are given by name: evaluate(run, metrics=[…])."
        )
    run = model if isinstance(model, Run) else Run(model)
    require_writable(run.path / EVALUATION)
    specimens = Specimens.of_run(run, samples=samples, limit=limit, splits=splits, anyway=anyway)
    chosen = run.experiment.evaluation.metrics if metrics is None else metrics
    result = judge(specimens, chosen, strict=metrics is not None, console=console)
    result.write(run.path)
    return result
