"""What a run may change when it goes on: a checkpoint against the configuration and the data of now."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from ..comparison import Changes, describe, find_changes, to_canonical
from ..config import DataConfig, Experiment
from ..errors import RunError
from ..fingerprint import Fingerprint, compute_fingerprint
from ..loading import load_config
from ..provenance import describe_command
from ..run import Run
from .checkpoints import Checkpoints
from .position import Judgement, Position

_SPLITTING = set(DataConfig.model_fields) - {"name", "workers"}


def require_accepted(run: Run, changes: Changes) -> None:
    """Checks that changes were asked for, and not only written into the configuration of a run that has begun.

    Args:
        run: The run.
        changes: What differs between the configuration of its checkpoint and its own.

    Raises:
        RunError: If they were not, or one of them makes it another training.
    """
    require_changeable(changes)
    if changes and _checksum(run.experiment) not in {each.get("configuration") for each in run.continuations}:
        asked = " ".join(f"--set {path}={json.dumps(now)}" for path, (_, now) in changes.items())
        raise RunError(
            f"{run.path / 'config.yaml'} is not what this run was trained with: {describe(changes)}. Put it back, or go on "
            f"with the change by `otae resume {run.path} {asked}`."
        )


def go_on(run: Run, overrides: Iterable[str]) -> None:
    """Writes a changed configuration into a run, and into its provenance what changed, and at which step.

    Args:
        run: The run.
        overrides: Dotted overrides of its configuration.

    Raises:
        ConfigError: If a change is not allowed.
        RunError: If a change makes it another training, or none of them changes anything.
    """
    experiment, checkpoint = load_config(run.path, overrides), Checkpoints(run.path).read()
    if checkpoint is None:
        raise RunError(f"{run.path} has no checkpoint to go on from: train anew with `otae train`.")
    position = checkpoint.position
    changes = find_changes(position.configuration, experiment)
    require_changeable(changes)
    if not changes and (run.path / "report.html").exists():
        raise RunError(f"The run {run.path} is complete, and nothing was changed: give more --epochs.")
    if experiment.training.epochs < position.epochs:
        raise RunError(f"{run.path} has {position.epochs} epochs behind it: training.epochs cannot be fewer.")
    if continue_judgement(position.judgement, changes).stopped:
        raise RunError(
            f"Early stopping ended the run {run.path}: give more --epochs, or change training.early_stopping."
        )
    run.go_on(
        experiment,
        {
            "step": position.step,
            "changes": {path: list(change) for path, change in changes.items()},
            "configuration": _checksum(experiment),
        },
    )


def continue_judgement(judgement: Judgement, changes: Changes) -> Judgement:
    """Returns what early stopping knows after changes: more epochs renew its patience, another monitor all of it.

    Args:
        judgement: What it knew before.
        changes: The changes.
    """
    if (
        "training.early_stopping.monitor" in changes
        or "training.early_stopping" in changes
        or any(path.startswith("objective.") for path in changes)
    ):
        return Judgement()
    if any(path == "training.epochs" or path.startswith("training.early_stopping.") for path in changes):
        return judgement.model_copy(update={"waited": 0, "stopped": False})
    return judgement


def _checksum(experiment: Experiment) -> str:
    return sha256(to_canonical(experiment).encode()).hexdigest()


def require_changeable(changes: Changes) -> None:
    """Checks that a training can go on with changes.

    Args:
        changes: The changes.

    Raises:
        RunError: If one of them makes it another training.
    """
    if fixed := {path: change for path, change in changes.items() if _is_fixed(path)}:
        raise RunError(
            f"A run cannot go on with {describe(fixed)}: that would be another training. Put it back, or train a new run "
            "from its weights: `otae train … --from RUN`."
        )


def require_same_data(run: Run, position: Position, data: Fingerprint) -> bool:
    """Returns whether a training goes on with other data than it began with, which `accept_data` has accepted.

    Args:
        run: The run.
        position: Where its training stands.
        data: What identifies the data of now.

    Raises:
        RunError: If they are others, and were not accepted.
    """
    if position.data == data:
        return False
    change = _describe_change(position, data)
    if change in [{key: each.get(key) for key in change} for each in run.continuations]:
        return True
    cure = " --anyway goes on with those of now, under the same split." if _are_alike(position.data, data) else ""
    raise RunError(_tell_change(position, data) + cure)


def accept_data(run: Run) -> None:
    """Writes into a run's provenance that it goes on with other data than it began with, and at which step.

    Args:
        run: The run.

    Raises:
        RunError: If these are of another form, or more or fewer: steps, epochs and splits count on them.
    """
    checkpoint, data = Checkpoints(run.path).read(), compute_fingerprint(run.dataset)
    if checkpoint is None or checkpoint.position.data == data:
        return
    position = checkpoint.position
    if not _are_alike(position.data, data):
        reason = " Even with --anyway a training goes on with as many samples of the same shape alone."
        raise RunError(_tell_change(position, data) + reason)
    run.record(continued=[*run.continuations, {**_describe_change(position, data), **describe_command()}])


def _are_alike(former: Fingerprint, data: Fingerprint) -> bool:
    return (former.samples, former.data_shape) == (data.samples, data.data_shape)


def _describe_change(position: Position, data: Fingerprint) -> dict[str, Any]:
    return {"step": position.step, "changes": {"data": [str(position.data), str(data)]}}


def _tell_change(position: Position, data: Fingerprint) -> str:
    return (
        f"The data are not those that this run began with: {position.data} then, {data} now. Bring them back, or train a new run "
        "from its weights: `otae train … --from RUN`."
    )


def _is_fixed(path: str) -> bool:
    match path.split("."):
        case ["data", key, *_]:
            return key in _SPLITTING  # the rest may change as long as the data stay the same
        case ["objective", _, key, *_]:
            return key != "weight"
        case (
            ["training", "precision"]
            | ["training", "optimizer", "name"]
            | ["training", "adversary", "optimizer", "name"]
        ):
            return True
        case ["training", *_]:
            return False
    return True
