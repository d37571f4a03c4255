"""The metrics of an evaluation: those asked for by name, and those that `default` stands for."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import ValidationError

from ..build import DEFAULT_METRICS, create_metric
from ..config import Component
from ..errors import ConfigError, NotApplicableError, PluginError
from ..interfaces import Dataset, Metric
from ..registry import metrics as registry

MetricLike: TypeAlias = str | Mapping[str, Any] | Component | Metric


@dataclass(frozen=True)
class Selected:
    """Holds a metric that shall be used.

    Args:
        label: What it is called in the result: its name, and its options where one name occurs twice.
        metric: The metric.
        wanted: Whether somebody asked for it by name.
        origin: Its name, distribution and version, for messages.
    """

    label: str
    metric: Metric
    wanted: bool
    origin: str


def select(metrics: Iterable[MetricLike]) -> tuple[list[Selected], dict[str, str]]:
    """Returns the metrics to use, and the reason why an installed one that nobody asked for cannot be built, by name.

    Args:
        metrics: Names, components with options, or metrics; `default` stands for all installed ones that are not costly.

    Raises:
        PluginError: If a metric that is asked for is unknown or broken.
        ConfigError: If an option is unknown, missing or not allowed.
    """
    asked = list(metrics)
    wanted = [
        _instance(each) if isinstance(each, Metric) else _created(_component(each)) for each in asked if not _all(each)
    ]
    selected = _distinct(wanted)
    skipped: dict[str, str] = {}
    if any(map(_all, asked)):
        present = {each.label for each in selected}
        more, skipped = _defaults(present)
        selected += more
    return selected, skipped


def check_metrics(metrics: Sequence[Component], dataset: Dataset) -> None:
    """Checks, before anything trains, that data have what the metrics that were asked for need.

    Args:
        metrics: The metrics, as in `evaluation.metrics`.
        dataset: The data.

    Raises:
        ConfigError: If a metric needs labels or factors that the data lack.
    """
    for component in metrics:
        if component.name != DEFAULT_METRICS:
            try:
                check_data(component.name, registry.get(component.name), dataset.labels, dataset.factors)
            except NotApplicableError as error:
                raise ConfigError(f"evaluation.metrics: {error} Leave it out, or choose other data.") from error


def check_data(name: str, metric: type[Metric] | Metric, labels: object | None, factors: object | None) -> None:
    """Checks that data have what a metric needs.

    Args:
        name: The metric's name.
        metric: The metric.
        labels: The labels of the data, or `None`.
        factors: The factors of the data, or `None`.

    Raises:
        NotApplicableError: If the metric needs labels or factors, and there are none.
    """
    for needed, there, what in ((metric.needs_labels, labels, "labels"), (metric.needs_factors, factors, "factors")):
        if needed and there is None:
            raise NotApplicableError(f"The metric {name!r} needs {what}, and the data have none.")


def _all(metric: MetricLike) -> bool:
    return not isinstance(metric, Metric) and _component(metric).name == DEFAULT_METRICS


def _component(metric: str | Mapping[str, Any] | Component) -> Component:
    try:
        return Component.model_validate(dict(metric) if isinstance(metric, Mapping) else metric)
    except ValidationError as error:
        raise ConfigError(
            f"A metric is a name or {{name: …, option: …}}, got {metric!r}. Installed: {', '.join(registry.names())}."
        ) from error


def _instance(metric: Metric) -> tuple[str, dict[str, Any], Metric, str]:
    name = type(metric).__name__
    return name, {}, metric, f"{type(metric).__module__}.{name}"


def _created(component: Component) -> tuple[str, dict[str, Any], Metric, str]:
    metric, offer = create_metric(component), registry.offer(component.name)
    return component.name, component.options, metric, f"{offer.name}, of {offer.origin}"


def _distinct(created: Sequence[tuple[str, dict[str, Any], Metric, str]]) -> list[Selected]:
    names = Counter(name for name, *_ in created)
    labels = [
        f"{name}[{', '.join(f'{key}={value}' for key, value in options.items())}]"
        if names[name] > 1 and options
        else name
        for name, options, _, _ in created
    ]
    if twice := [label for label, count in Counter(labels).items() if count > 1]:
        raise ConfigError(f"The metric {twice[0]!r} is asked for twice with the same options. Leave one out.")
    return [
        Selected(label, metric, True, origin) for label, (_, _, metric, origin) in zip(labels, created, strict=True)
    ]


def _defaults(present: set[str]) -> tuple[list[Selected], dict[str, str]]:
    found, skipped = [], {}
    for name, each in _installed():
        if isinstance(each, str):
            skipped[name] = each
            warnings.warn(f"The metric {name!r} is skipped. {each}", stacklevel=2)
        elif name not in present and not any(label.startswith(f"{name}[") for label in present):
            found.append(each)
    return found, skipped


def _installed() -> Iterator[tuple[str, Selected | str]]:
    for name in registry.names():
        try:
            if registry.get(name).costly:
                continue
            _, _, metric, origin = _created(Component(name=name))
            yield name, Selected(name, metric, False, origin)
        except (PluginError, ConfigError) as error:  # a stranger's metric must not spoil a finished training
            yield name, str(error)
