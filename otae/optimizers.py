"""Optimisers and learning-rate schedulers of torch, by name."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from .config import Component, OptimizerConfig, SchedulerConfig, TrainingConfig
from .errors import ConfigError, near_match, unknown_name


def optimizer(
    config: OptimizerConfig, parameters: Iterable[nn.Parameter] | Iterable[dict[str, Any]], where: str
) -> Optimizer:
    """Returns an optimiser of `torch.optim`.

    Args:
        config: Its name, learning rate and options.
        parameters: What it optimises: parameters, or groups of them as torch's optimisers take them.
        where: Its dotted path, for messages.

    Raises:
        ConfigError: If the name or an option is unknown, or a value is not allowed.
    """
    built: Optimizer = _build(_OPTIMIZERS, "optimizer", config, where, (list(parameters),), {"lr": config.lr})
    return built


def scheduler(config: SchedulerConfig, target: Optimizer, where: str) -> LRScheduler:
    """Returns a scheduler of `torch.optim.lr_scheduler`.

    Args:
        config: Its name and options.
        target: The optimiser whose learning rate it moves.
        where: Its dotted path, for messages.

    Raises:
        ConfigError: If the name or an option is unknown, or a value is not allowed.
    """
    built: LRScheduler = _build(_SCHEDULERS, "scheduler", config, where, (target,), {})
    return built


def check(training: TrainingConfig) -> None:
    """Checks the names and options of all optimisers and schedulers, on a parameter of its own.

    Args:
        training: The training section.

    Raises:
        ConfigError: If one cannot be built.
    """
    adversary = training.adversary
    for path, section in (("training", training), ("training.adversary", adversary)):
        probe = optimizer(section.optimizer, [nn.Parameter(torch.zeros(1))], f"{path}.optimizer")
        if section.scheduler:
            scheduler(section.scheduler, probe, f"{path}.scheduler")


def _build(
    kinds: Mapping[str, Callable[..., Any]],
    kind: str,
    config: Component,
    where: str,
    positional: tuple[Any, ...],
    fixed: dict[str, Any],
) -> Any:
    name = _key(config.name)
    if name not in kinds:
        raise ConfigError(f"{where}: {unknown_name(kind, config.name, kinds)}")
    known = {*list(inspect.signature(kinds[name]).parameters)[1:], *type(config).model_fields} - {"name"}
    for option, value in config.options.items():
        if option not in known:
            allowed = ", ".join(sorted(known))
            raise ConfigError(f"{where}.{option}: unknown option. Allowed: {allowed}.{near_match(option, known)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{where}.{option}: must be a finite number (got {value}).")
    try:
        return kinds[name](*positional, **fixed, **config.options)
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ConfigError(f"{where}: {config.name} refuses these options: {error}.") from error


def _key(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _classes(module: Any, base: type, suffix: str = "") -> dict[str, Callable[..., Any]]:
    found = {name: kind for name, kind in vars(module).items() if isinstance(kind, type) and issubclass(kind, base)}
    return {
        _key(name).removesuffix(suffix): kind for name, kind in found.items() if kind is not base and name[0] != "_"
    }


def _without(kinds: dict[str, Callable[..., Any]], *names: str) -> dict[str, Callable[..., Any]]:
    return {name: kind for name, kind in kinds.items() if kind.__name__ not in names}


_OPTIMIZERS = _without(
    _classes(torch.optim, Optimizer),
    "LBFGS",  # needs the loss again and again within a step
    "SparseAdam",  # takes sparse gradients alone
)
_SCHEDULERS = _without(
    _classes(lr_scheduler, LRScheduler) | _classes(lr_scheduler, LRScheduler, suffix="lr"),
    *("LambdaLR", "MultiplicativeLR"),  # take functions, which no configuration can hold
    *("ChainedScheduler", "SequentialLR"),  # take schedulers
)
