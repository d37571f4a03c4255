"""From a configuration and the registries to the parts: the only place where the two meet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from .autoencoder import Autoencoder
from .budget import bounding
from .clouds import NAMED_CLOUDS
from .config import Component, DataConfig, Experiment, TermConfig
from .contracts import check_built
from .discovery import Offer
from .errors import ConfigError, DataError, ObjectiveError, OtaeError, PluginError
from .faults import make_failure
from .interfaces import Cost, Dataset, InMemory, Metric
from .nested import Nested, is_component, kind_of, nested_type
from .objective import Objective, Term
from .optimizers import check as check_training
from .registry import (
    Registry,
    costs,
    create_nested,
    datasets,
    decoders,
    encoders,
    metrics,
    priors,
    registries,
)
from .signature import filled, handed, options_model, parameters, validated
from .term_rules import check_fit, check_name

DEFAULT_METRICS = "default"
"""The name that stands, among an evaluation's metrics, for all that are installed and not costly."""


@dataclass(frozen=True)
class Shape:
    """Creates what the data tell the builder.

    Args:
        data_shape: The shape of one sample.
        value_range: The smallest and largest value of a sample, or `None` where unbounded.
    """

    data_shape: tuple[int, ...]
    value_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Parts:
    """Creates the trainable parts of an experiment.

    Args:
        model: The autoencoder.
        objective: The objective.
    """

    model: Autoencoder
    objective: Objective


def components(experiment: Experiment) -> Iterator[tuple[str, Registry[Any], Component]]:
    """Yields every plugin that an experiment names: its dotted path, its registry, its component.

    Args:
        experiment: The experiment.
    """
    yield "data", datasets, experiment.data
    yield "model.encoder", encoders, experiment.model.encoder
    yield "model.decoder", decoders, experiment.model.decoder
    yield "model.prior", priors, experiment.model.prior
    for name, term in experiment.objective.items():
        yield f"objective.{name}.cost", costs, term.cost


def plugins_used(experiment: Experiment) -> dict[str, Offer]:
    """Returns the offer behind each plugin of an experiment, those inside options too, by dotted path.

    Args:
        experiment: The experiment.
    """
    used: dict[str, Offer] = {}
    for path, registry, component in components(experiment):
        used[path] = registry.offer(component.name)
        options = options_model(registry.get(component.name), registry.given).model_validate(component.options)
        for option in type(options).model_fields:
            used |= _nested_offers(f"{path}.{option}", getattr(options, option))
    return used


def _nested_offers(path: str, value: Any) -> dict[str, Offer]:
    """Returns the offers behind the components that an option holds, by dotted path."""
    if isinstance(value, list | tuple):
        return {
            key: offer for i, each in enumerate(value) for key, offer in _nested_offers(f"{path}.{i}", each).items()
        }
    return {path: registries()[value.kind].offer(value.name)} if isinstance(value, Nested) else {}


def resolve(experiment: Experiment, *, metrics_too: bool = True) -> Experiment:
    """Returns the experiment with every plugin looked up, every option checked, and every default filled in.

    No data are read.

    Args:
        experiment: The experiment as configured.
        metrics_too: Whether to look up the evaluation's metrics; a model can be used without them.

    Raises:
        PluginError: If a plugin is unknown, broken, or offered twice.
        ConfigError: If an option is unknown or not allowed, or a term's clouds do not fit its cost.
    """
    resolved = experiment.model_copy(deep=True)
    for path, registry, component in components(resolved):
        _complete(path, registry, component, set(type(component).model_fields) - {"name"})
    for number, metric in enumerate(resolved.evaluation.metrics if metrics_too else ()):
        if metric.name != DEFAULT_METRICS:
            _complete(f"evaluation.metrics.{number}", metrics, metric, {"name"})
    for name, term in resolved.objective.items():
        try:
            check_name(name)
            check_fit(costs.get(term.cost.name), term.source, term.target)
        except ObjectiveError as error:
            raise ConfigError(f"objective.{name}: {error}") from error
    check_training(resolved.training)
    monitored = resolved.training.early_stopping
    if monitored and monitored.monitor not in ("total", *resolved.objective):
        allowed = ", ".join(["total", *resolved.objective])
        raise ConfigError(f"training.early_stopping.monitor: no term named {monitored.monitor!r}. Allowed: {allowed}.")
    return resolved


def open_dataset(experiment: Experiment) -> Dataset:
    """Returns the dataset of an experiment.

    Args:
        experiment: The experiment.

    Raises:
        DataError: If its files are missing or corrupt.
    """
    return create_dataset(experiment.data)


IN_MEMORY = "memory"
"""The name of the dataset that takes data in memory where the configured one takes none."""


def take_memory(experiment: Experiment) -> Experiment:
    """Returns an experiment whose dataset takes data in memory: its own where that does, else the one named `memory`.

    Args:
        experiment: The experiment; its splits and batches are kept.
    """
    if "memory" in parameters(datasets.get(experiment.data.name)):
        return experiment
    changed = experiment.model_copy(deep=True)
    changed.data.name, changed.data.__pydantic_extra__ = IN_MEMORY, {}
    return changed


def create_dataset(config: DataConfig, place: str = "data", memory: InMemory | None = None) -> Dataset:
    """Returns the dataset of a data section.

    Args:
        config: The data section.
        place: Where it was asked for, for messages.
        memory: The data in memory, for a dataset that takes them, or `None`.

    Raises:
        DataError: If its files are missing or corrupt.
    """
    dataset: Dataset = _create(place, datasets, config, {} if memory is None else {"memory": memory})
    return dataset


def create_metric(component: Component, place: str = "evaluation.metrics") -> Metric:
    """Returns a metric with its options.

    Args:
        component: The metric's name and options.
        place: Where it was asked for, for messages.

    Raises:
        PluginError: If the metric is unknown or broken.
        ConfigError: If an option is unknown, missing or not allowed.
    """
    metric: Metric = _create(place, metrics, component, {})
    return metric


def build(experiment: Experiment, shape: Shape) -> Parts:
    """Returns the parts of an experiment, freshly initialised from torch's global random state.

    Args:
        experiment: The experiment.
        shape: What the data tell.

    Raises:
        ConfigError: If a part cannot be built for these data, or a term needs a density that its cloud lacks.
    """
    model = experiment.model
    known: dict[str, Any] = {
        "data_shape": shape.data_shape,
        "value_range": shape.value_range,
        "latent_dim": model.latent_dim,
    }
    encoder = _create("model.encoder", encoders, model.encoder, known)
    decoder = _create("model.decoder", decoders, model.decoder, known)
    prior = _create("model.prior", priors, model.prior, {**known, "encoder": encoder})
    autoencoder = Autoencoder(encoder, decoder, prior)
    objective = Objective({name: _term(name, term, known) for name, term in experiment.objective.items()})
    try:
        objective.check(autoencoder)
    except ObjectiveError as error:
        raise ConfigError(f"objective: {error}") from error
    return Parts(autoencoder, objective)


def _term(name: str, term: TermConfig, known: dict[str, Any]) -> Term:
    source, target = _shapes(term.source, known), _shapes(term.target or term.source, known)
    shapes = {"shapes": source, "source_shapes": source, "target_shapes": target}
    cost: Cost = _create(f"objective.{name}.cost", costs, term.cost, {**known, **shapes})
    try:
        return Term(cost, term.source, term.target, term.weight, term.memory, term.gather)
    except ObjectiveError as error:
        raise ConfigError(f"objective.{name}: {error}") from error


def _shapes(names: Sequence[str], known: dict[str, Any]) -> tuple[tuple[int, ...], ...]:
    spaces = {"data": known["data_shape"], "latent": (known["latent_dim"],)}
    return tuple(spaces[NAMED_CLOUDS[name].space] for name in names)


def _complete(path: str, registry: Registry[Any], component: Component | Nested, beside: Collection[str]) -> None:
    """Checks a component's options, and those of the components among them, and fills in every default, in place."""
    where = _where(path, registry, component)
    model = filled(registry.get(component.name), where, component.options, registry.given, beside)
    for name, value in model:
        setattr(model, name, _complete_nested(f"{path}.{name}", value))
    component.__pydantic_extra__ = model.model_dump(mode="json")


def _complete_nested(path: str, value: Any) -> Any:
    """Returns an option with every component in it completed: those given by name and options, and those that are made."""
    if isinstance(value, list | tuple):
        return type(value)(_complete_nested(f"{path}.{number}", each) for number, each in enumerate(value))
    nested = _configure(value) if is_component(value) else value
    if isinstance(nested, Nested):
        _complete(path, registries()[nested.kind], nested, {"name"})
    return nested


def _configure(component: Any) -> Nested:
    """Returns a component that was made, such as the default of an option, by its name and options."""
    registry, name = _name_component(component)
    options = {option: getattr(component, option) for option in parameters(type(component))}
    return nested_type(cast("type", registry.interface))(name=name, **options)


def _name_component(component: Any) -> tuple[Registry[Any], str]:
    """Returns the registry of a component that was made, and the name under which its class is offered."""
    registry, plugin = registries()[kind_of(component)], type(component)
    for offer in registry.offers():
        if offer.value.rpartition(":")[2] == plugin.__qualname__ and registry.get(offer.name) is plugin:
            return registry, offer.name
    raise PluginError(
        f"{plugin.__module__}.{plugin.__qualname__} is offered under no name in {registry.group!r}, so that no configuration "
        f"can hold it. Declare it as an entry point, or register it by otae.{registry.kind}s.register(name, {plugin.__name__})."
    )


def _create(path: str, registry: Registry[Any], component: Component, known: dict[str, Any]) -> Any:
    plugin, where = registry.get(component.name), _where(path, registry, component)
    options = validated(plugin, where, component.options, registry.given)
    try:
        with bounding():
            part = plugin(**handed(plugin, where, known, registry.given), **create_nested(options))
    except (ConfigError, DataError) as error:
        raise type(error)(f"{where}: {error}") from error
    except (OtaeError, OSError):
        raise
    except Exception as error:  # the plugin door: a part may raise anything while it is built
        raise make_failure(plugin, error, "cannot be built", path) from error
    check_built(part, known, path)
    return part


def _where(path: str, registry: Registry[Any], component: Component | Nested) -> str:
    return f"{path} ({registry.kind} {component.name!r})"
