"""A checkpoint against the parts that were built for it: checked in every detail, then changed as was asked for."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Trainer
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from ..errors import RunError
from .checkpoints import Checkpoint
from .continuation import Changes
from .module import Engine


def prepare(checkpoint: Checkpoint, engine: Engine, trainer: Trainer, changes: Changes) -> None:
    """Checks a checkpoint against the parts built for it, and applies the changes of optimisers and schedules to it.

    Args:
        checkpoint: The checkpoint, changed in place.
        engine: The engine that it will be restored to.
        trainer: The trainer that it will be restored to.
        changes: What differs between its configuration and that of now.

    Raises:
        RunError: If it does not fit.
    """
    optimizers, schedulers = engine.configure_optimizers()
    content = checkpoint.content
    require_weights(checkpoint, engine)
    loops = content.get("loops")
    _require_alike(loops.get("fit_loop") if isinstance(loops, dict) else None, trainer.fit_loop.state_dict(), "loops")
    _require_alike(content.get("optimizer_states"), [target.state_dict() for target in optimizers], "optimizer_states")
    _require_alike(content.get("lr_schedulers"), [target.state_dict() for target in schedulers], "lr_schedulers")
    sections = [path for path in ("training", "training.adversary") if _has_optimizer(engine, path)]
    for path, target, saved in zip(sections, optimizers, content["optimizer_states"], strict=True):
        _change_optimizer(saved, target, _below(changes, f"{path}.optimizer."))
    scheduled = [path for path in sections if _has_scheduler(engine, path)]
    for position, (path, target) in enumerate(zip(scheduled, schedulers, strict=True)):
        _change_scheduler(content["lr_schedulers"], position, target, path, changes)


def require_weights(checkpoint: Checkpoint, engine: Engine) -> None:
    """Checks that the weights in a checkpoint fit the parts that were built.

    Args:
        checkpoint: The checkpoint.
        engine: The engine that they will be loaded into.

    Raises:
        RunError: If a name or a shape differs.
    """
    built = {key: value.shape for key, value in engine.state_dict().items()}
    for weights in filter(None, (checkpoint.weights, checkpoint.best)):
        if {key: value.shape for key, value in weights.items()} != built:
            raise RunError("The checkpoint is corrupt: its weights do not fit the configuration.")


def _change_optimizer(saved: dict[str, Any], target: Optimizer, changes: Changes) -> None:
    for option, (before, now) in changes.items():
        for group, built in zip(saved["param_groups"], target.param_groups, strict=True):
            if option == "lr":
                group["lr"] = now if group["lr"] == before else group["lr"] * now / before
                group.update({"initial_lr": now} if "initial_lr" in group else {})
            else:
                group.update({name: built[name] for name in built if name == option.partition(".")[0]})


def _change_scheduler(
    states: list[dict[str, Any]], position: int, target: LRScheduler, path: str, changes: Changes
) -> None:
    if _below(changes, f"{path}.scheduler"):
        states[position] = target.state_dict()  # another schedule begins now
    elif "base_lrs" in states[position] and f"{path}.optimizer.lr" in changes:
        states[position]["base_lrs"] = target.base_lrs


def _has_optimizer(engine: Engine, path: str) -> bool:
    return path == "training" or bool(engine.objective.adversary_parameters())


def _has_scheduler(engine: Engine, path: str) -> bool:
    training = engine.training_config
    return (training if path == "training" else training.adversary).scheduler is not None


def _below(changes: Changes, prefix: str) -> Changes:
    return {path.removeprefix(prefix): change for path, change in changes.items() if path.startswith(prefix)}


def _require_alike(saved: Any, built: Any, where: str) -> None:
    """Checks that a state has the form of the one that was built: numbers may differ, text and structure may not."""
    match built:
        case dict() if where.endswith(".state"):  # empty until the first step
            sound = isinstance(saved, dict) and all(isinstance(key, int) and _is_state(saved[key]) for key in saved)
        case dict():
            sound = isinstance(saved, dict) and saved.keys() == built.keys()
        case list() | tuple():
            sound = isinstance(saved, list | tuple) and (len(saved) == len(built) or not built)
        case str():
            sound = saved == built
        case _:
            sound = saved is None or isinstance(saved, bool | int | float | Tensor)
    if not sound:
        raise RunError(f"The checkpoint is corrupt: its {where} does not fit the configuration.")
    if isinstance(built, dict) and not where.endswith(".state"):
        for key, value in built.items():
            _require_alike(saved[key], value, f"{where}.{key}")
    elif isinstance(built, list | tuple):
        for each, value in zip(saved, built, strict=False):
            _require_alike(each, value, where)


def _is_state(state: Any) -> bool:
    return isinstance(state, dict) and all(
        isinstance(key, str) and (value is None or isinstance(value, bool | int | float | Tensor | list))
        for key, value in state.items()
    )
