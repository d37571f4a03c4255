"""The judgement of a run by metrics, kept in its folder."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import ConfigError, NonFiniteError, PluginError
from ..files import write_json
from ..interfaces import Metric, Specimen
from ..registry import metrics as registry
from ..run import Run
from ..training import seeded
from .specimens import SPLITS, Specimens

Figures = dict[str, dict[str, dict[str, float]]]


def evaluate(
    path: str | Path | Run, metrics: Sequence[str] | None = None, *, samples: int = 10_000, limit: int = 10_000
) -> Figures:
    """Returns the figures of a run, by split, metric and name, and writes them to its `evaluation.json`.

    The splits are `test`, which training never saw, and `all`. A metric that needs labels or factors is skipped where the
    data have none. Everything is drawn from the run's seed: the same call gives the same figures, and no global state changes.

    Args:
        path: The run, or its folder.
        metrics: The names of the metrics; every installed one where `None`, of which those that cannot be used are
            skipped with a warning.
        samples: The number of generations to judge.
        limit: The largest number of samples of a split to judge, drawn by seed where there are more: it bounds memory.
            Of samples of more than 6,710 values, fewer are judged, and drawn: 2²⁶ values in all, but at least 1,000 samples.

    Raises:
        UnknownPluginError: If a named metric is not installed.
        ConfigError: If `samples` or `limit` is not positive.
        NonFiniteError: If a figure is not finite; nothing is written then.
        RunError: If the folder holds no run, it was not trained to its end, or a plugin is missing.
        DataError: If the data are missing or spoilt.

    Examples:
        >>> otae.evaluate("runs/gwae")["test"]["reconstruction"]["ratio"]  # doctest: +SKIP
        0.61
    """
    run = path if isinstance(path, Run) else Run(path)
    judges = dict(_installed()) if metrics is None else {name: registry.create(name) for name in metrics}
    specimens = Specimens(run, samples=samples, limit=limit)
    figures: Figures = {}
    for split in SPLITS:
        with seeded(specimens.seed):
            specimen = specimens[split]
        figures[split] = {name: _figures(name, judge, split, specimen) for name, judge in _fit(judges, specimen)}
    write_json(run.path / "evaluation.json", figures)
    return figures


def _installed() -> Iterator[tuple[str, Metric]]:
    for name in registry.names():
        try:
            yield name, registry.create(name)
        except (PluginError, ConfigError) as error:  # a stranger's metric must not spoil a finished training
            warnings.warn(f"The metric {name!r} is skipped. {error}", stacklevel=3)


def _fit(judges: dict[str, Metric], specimen: Specimen) -> Iterator[tuple[str, Metric]]:
    lacks_labels, lacks_factors = specimen.labels is None, specimen.factors is None
    return (
        (name, judge)
        for name, judge in judges.items()
        if not (judge.needs_labels and lacks_labels) and not (judge.needs_factors and lacks_factors)
    )


def _figures(name: str, judge: Metric, split: str, specimen: Specimen) -> dict[str, float]:
    with seeded(specimen.seed):  # each metric alone, so that none depends on which others ran
        figures = {key: float(value) for key, value in judge(specimen).items()}
    for key, value in figures.items():
        if not math.isfinite(value):
            raise NonFiniteError(
                f"The metric {name!r} says {key} = {value} on the split {split!r}. Either the model diverged, which its "
                "losses in metrics.csv show, or the metric cannot judge these data: leave it out of `metrics`."
            )
    return figures
