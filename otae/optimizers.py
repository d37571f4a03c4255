"""Optimisers and learning-rate schedulers of torch, by name."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from .config import Component, OptimizerConfig, SchedulerConfig, TrainingConfig
from .errors import ConfigError, near_match, shorten, unknown_name
from .yaml_values import forget_text

_PROBES = 3
# what a configuration has no use for: where a schedule stands, the sign of the objective, and the inner workings
_FORBIDDEN = {"last_epoch", "maximize", "capturable", "differentiable", "verbose", "scale_fn"}


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
    """Checks the names and options of all optimisers and schedulers by a few steps on a parameter of its own.

    Args:
        training: The training section.

    Raises:
        ConfigError: If one cannot be built, cannot step, or leaves what is no number.
    """
    for path, section in (("training", training), ("training.adversary", training.adversary)):
        weight = nn.Parameter(torch.ones(2, 2))
        probe = optimizer(section.optimizer, [weight], f"{path}.optimizer")
        with _told(f"{path}.optimizer", section.optimizer.name), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            moved = scheduler(section.scheduler, probe, f"{path}.scheduler") if section.scheduler else None
            for _ in range(_PROBES):
                weight.grad = torch.ones_like(weight)
                probe.step()
                if moved is not None and section.scheduler:
                    _move(moved, f"{path}.scheduler", section.scheduler.name)
        if not bool(torch.isfinite(weight).all()):
            raise ConfigError(f"{path}.optimizer: these options make a weight infinite within {_PROBES} steps.")


def check_length(training: TrainingConfig, batches: int) -> None:
    """Checks that no schedule ends in an error before the training does.

    Args:
        training: The training section.
        batches: The number of steps in an epoch.

    Raises:
        ConfigError: If one does.
    """
    for path, section in (("training", training), ("training.adversary", training.adversary)):
        if section.scheduler is None:
            continue
        probe = scheduler(section.scheduler, optimizer(section.optimizer, [nn.Parameter(torch.zeros(1))], path), path)
        moves = training.epochs * (batches if section.scheduler.interval == "step" else 1)
        if isinstance(probe, lr_scheduler.OneCycleLR) and probe.total_steps < moves:
            raise ConfigError(
                f"{path}.scheduler: one-cycle ends after {probe.total_steps} moves, and this training makes {moves}: "
                f"set total_steps to {moves}."
            )


def _move(moved: LRScheduler, where: str, name: str) -> None:
    with _told(where, name):
        if isinstance(moved, lr_scheduler.ReduceLROnPlateau):
            moved.step(1.0)
        else:
            moved.step()
    rates = [float(group["lr"]) for group in moved.optimizer.param_groups]
    if not all(math.isfinite(rate) and rate >= 0 for rate in rates):
        raise ConfigError(f"{where}: these options lead to a learning rate of {rates[0]}.")


@contextmanager
def _told(where: str, name: str) -> Iterator[None]:
    """Turns whatever torch raises about options into a sentence."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:  # torch checks few of its options, and raises anything where one is wrong
        text = str(error).partition("\n")[0]
        raise ConfigError(f"{where}: {name} refuses these options: {text or type(error).__name__}.") from error


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
    known = {*list(inspect.signature(kinds[name]).parameters)[1:], *type(config).model_fields} - {"name", *_FORBIDDEN}
    for option, value in config.options.items():
        if option not in known:
            allowed = ", ".join(sorted(known))
            raise ConfigError(f"{where}.{option}: unknown option. Allowed: {allowed}.{near_match(option, known)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{where}.{option}: must be a finite number (got {value}).")
    with _told(where, config.name):
        return kinds[name](*positional, **fixed, **_typed(kinds[name], config.options, where))


def _typed(kind: Callable[..., Any], options: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Returns options whose kind is that of their defaults: a number for a number, a pair for a pair, truth for truth."""
    signature = inspect.signature(kind).parameters
    for option, value in options.items():
        default = signature[option].default if option in signature else None
        needed = _needed(default)
        if needed is None or (value is None and default is None):
            continue
        what, fits = needed
        if not fits(value):
            raise ConfigError(f"{where}.{option}: {what} is needed here (got {shorten(repr(value), 80)}).")
        if isinstance(default, tuple) and len(value) != len(default):
            raise ConfigError(f"{where}.{option}: {len(default)} numbers are needed here (got {len(value)}).")
    return {option: forget_text(value) for option, value in options.items()}


def _needed(default: Any) -> tuple[str, Callable[[Any], bool]] | None:
    match default:
        case bool():
            return "true or false", lambda value: isinstance(value, bool)
        case int() | float():
            return "a number of at most 1e30", _is_number
        case tuple() | list():
            return (
                "a list of numbers",
                lambda value: (
                    isinstance(value, list | tuple) and all(each is None or _is_number(each) for each in value)
                ),
            )
        case str():
            return "a word", lambda value: isinstance(value, str)
    return None


def _is_number(value: Any) -> bool:
    """Returns whether a value is a number, or a list with one for each group of parameters."""
    numbers = value if isinstance(value, list) and value else [value]
    return all(isinstance(each, int | float) and not isinstance(each, bool) and abs(each) < 1e30 for each in numbers)


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
