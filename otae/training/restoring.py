"""A checkpoint against the parts that were built for it: checked in every detail, then changed as was asked for."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Trainer
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from ..comparison import Changes
from ..config import PARTS
from ..errors import RunError
from .checkpoints import Checkpoint
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
    loops = content["loops"]
    _require_alike(loops.get("fit_loop") if isinstance(loops, dict) else None, trainer.fit_loop.state_dict(), "loops")
    sections = ["training", *(["training.adversary"] if len(optimizers) > 1 else [])]
    _renew_schedules(checkpoint, sections, optimizers, schedulers, engine, changes)
    _require_alike(content["optimizer_states"], [target.state_dict() for target in optimizers], "optimizer_states")
    _require_alike(content["lr_schedulers"], [target.state_dict() for target in schedulers], "lr_schedulers")
    for path, target, saved in zip(sections, optimizers, content["optimizer_states"], strict=True):
        if not _below(changes, f"{path}.scheduler"):
            _change_optimizer(saved, target, _below(changes, f"{path}.optimizer."))
            _change_rates(saved, *(rates[path] for rates in (_former_rates(checkpoint), _rates(engine))))
    for path, target, state in zip(_scheduled(engine, sections), schedulers, content["lr_schedulers"], strict=True):
        if "base_lrs" in state and _former_rates(checkpoint)[path] != _rates(engine)[path]:
            state["base_lrs"] = target.base_lrs


def _renew_schedules(
    checkpoint: Checkpoint,
    sections: list[str],
    optimizers: list[Optimizer],
    schedulers: list[LRScheduler],
    engine: Engine,
    changes: Changes,
) -> None:
    """Has a schedule that was changed begin now, from the configured learning rate."""
    content, renewed = checkpoint.content, [path for path in sections if _below(changes, f"{path}.scheduler")]
    if not renewed:
        return
    for name, count in (("optimizer_states", len(sections)), ("lr_schedulers", 0)):
        entries = content[name]
        if not (
            isinstance(entries, list) and len(entries) >= count and all(isinstance(each, dict) for each in entries)
        ):
            raise RunError(f"The checkpoint is corrupt: its {name} does not fit the configuration.")
    for path, target, saved in zip(sections, optimizers, content["optimizer_states"], strict=False):
        if path in renewed:
            saved["param_groups"] = target.state_dict()["param_groups"]
    former = dict(zip(_formerly_scheduled(checkpoint, sections), content["lr_schedulers"], strict=False))
    content["lr_schedulers"] = [
        target.state_dict() if path in renewed else former.get(path)
        for path, target in zip(_scheduled(engine, sections), schedulers, strict=True)
    ]


def _scheduled(engine: Engine, sections: list[str]) -> list[str]:
    training = engine.training_config
    schedules = {"training": training.scheduler, "training.adversary": training.adversary.scheduler}
    return [path for path in sections if schedules[path] is not None]


def _formerly_scheduled(checkpoint: Checkpoint, sections: list[str]) -> list[str]:
    training = checkpoint.position.values["training"]
    schedules = {"training": training["scheduler"], "training.adversary": training["adversary"]["scheduler"]}
    return [path for path in sections if schedules[path] is not None]


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
    for option in changes:
        for group, built in zip(saved["param_groups"], target.param_groups, strict=True):
            if option != "lr":
                group.update({name: built[name] for name in built if name == option.partition(".")[0]})


def _change_rates(saved: dict[str, Any], former: list[float], rates: list[float]) -> None:
    """Moves the learning rates of an optimiser's groups from the former configured ones to those of now, by their ratio."""
    for group, before, now in zip(saved["param_groups"], former, rates, strict=True):
        if now != before:
            group["lr"] = now if group["lr"] == before else group["lr"] * now / before
            group.update({"initial_lr": now} if "initial_lr" in group else {})


def _rates(engine: Engine) -> dict[str, list[float]]:
    training = engine.training_config
    return {"training": training.rates, "training.adversary": [training.adversary.optimizer.lr]}


def _former_rates(checkpoint: Checkpoint) -> dict[str, list[float]]:
    training = checkpoint.position.values["training"]
    lr = training["optimizer"]["lr"]
    parts = [training["parts"].get(part, {"lr": lr})["lr"] for part in PARTS]
    return {"training": parts, "training.adversary": [training["adversary"]["optimizer"]["lr"]]}


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
