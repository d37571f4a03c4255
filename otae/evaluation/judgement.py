"""The judgement of specimens by metrics, one by one: what fails is named, and costs the others nothing."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console

from ..cures import find_cure
from ..errors import ConfigError, NotApplicableError
from ..faults import find_line
from ..interfaces import Estimate, Missing, Specimen, Table
from ..training import seeded
from .progress import Steps
from .result import Description, Evaluation
from .selection import MetricLike, Selected, check_data, select
from .specimens import Specimens


def judge(
    specimens: Specimens, metrics: Iterable[MetricLike], *, strict: bool = False, console: Console | None = None
) -> Evaluation:
    """Returns what metrics say of specimens.

    Each metric starts from the specimens' seed, so that its figures do not depend on which others are used.

    Args:
        specimens: What the metrics look at.
        metrics: Names, components with options, or metrics; `default` stands for all installed ones that are not costly.
        strict: Whether a metric that was asked for by name and cannot be applied is an error.
        console: Where progress is shown; nowhere where `None`.

    Raises:
        PluginError: If a metric that is asked for is unknown or broken.
        ConfigError: If an option is not allowed; in strict use, if a metric cannot be applied.
    """
    selected, skipped = select(metrics)
    result = Evaluation(skipped=skipped, protocol=specimens.protocol)
    seconds = result.protocol.setdefault("seconds", {})
    with Steps(console, "Evaluating", len(specimens.splits) * (1 + len(selected))) as steps:
        for split in specimens.splits:
            steps.begin(f"encoding the split {split}")
            with seeded(specimens.seed):
                specimen = specimens[split]
            result.figures[split] = {}
            for each in selected:
                if each.label not in result.failed:
                    steps.begin(f"{each.label} on {split}")
                    started = time.monotonic()
                    _use(each, specimen, split, result, strict)
                    seconds[each.label] = round(seconds.get(each.label, 0.0) + time.monotonic() - started, 3)
    for label, reason in result.failed.items() if console is None else ():
        warnings.warn(f"The metric {label!r} failed, and the others did not: {reason}", stacklevel=2)
    return result


def _use(each: Selected, specimen: Specimen, split: str, result: Evaluation, strict: bool) -> None:
    try:
        check_data(each.label, each.metric, specimen.labels, specimen.factors)
        with seeded(specimen.seed):
            values = dict(each.metric(specimen))
        _sort(values, each, split, result)
    except NotApplicableError as error:
        if strict and each.wanted:
            raise ConfigError(f"{error} Leave it out, or judge another model or other data.") from error
        result.skipped[each.label] = str(error)
    except Exception as error:  # the plugin door: a stranger's metric may raise anything
        cure = find_cure("metric", each.metric, error)
        told = f"{type(error).__name__}: {error} ({each.origin}, {find_line(error, each.metric)})"
        result.failed[each.label] = f"{told}. {cure}" if cure else told
        for kept in (result.figures, result.intervals, result.missing, result.tables):
            for figures in kept.values():
                figures.pop(each.label, None)


def _sort(values: Mapping[str, Any], each: Selected, split: str, result: Evaluation) -> None:
    """Puts the values of a metric where they belong in the result."""
    numbers: dict[str, float] = {}
    for name, value in values.items():
        match value:
            case Missing(reason):
                result.missing.setdefault(split, {}).setdefault(each.label, {})[name] = reason
            case Table():
                result.tables.setdefault(split, {}).setdefault(each.label, {})[name] = value
            case _:
                numbers[name] = _finite(name, value)
                if isinstance(value, Estimate):
                    interval = (_finite(name, value.low), _finite(name, value.high))
                    result.intervals.setdefault(split, {}).setdefault(each.label, {})[name] = interval
    result.figures[split][each.label] = numbers
    result.descriptions[each.label] = Description(each.metric.headline, dict(each.metric.figures))


def _finite(name: str, value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ArithmeticError(
            f"it says {name} = {number}. Either the model diverged, which its losses in metrics.csv show, or the metric "
            "cannot judge these data"
        )
    return number
