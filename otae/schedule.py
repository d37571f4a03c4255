"""Weights that change during training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, PositiveInt, Tag, model_validator

from .signature import check

_SHAPES: dict[str, Callable[[float], float]] = {
    "linear": lambda t: t,
    "cosine": lambda t: (1 - math.cos(math.pi * t)) / 2,
    "step": lambda t: float(t >= 1),
}


class Schedule(BaseModel):
    """Creates a weight that moves from one value to another and then stays.

    Attributes:
        start: The value at the start; `from` in YAML.
        to: The value at the end and ever after.
        steps: The number of training steps in between.
        epochs: The number of epochs in between; give either this or `steps`.
        shape: `linear`, `cosine` (slow at both ends), or `step` (the start's value until the end is reached).

    Examples:
        >>> Schedule(start=0, to=1, steps=10).at(step=5, epoch=0)
        0.5
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)

    start: float = Field(alias="from")
    to: float
    steps: PositiveInt | None = None
    epochs: PositiveInt | None = None
    shape: Literal["linear", "cosine", "step"] = "linear"

    @model_validator(mode="after")
    def _one_clock(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("a schedule runs over either 'steps' or 'epochs': give one of them")
        return self

    def at(self, step: int, epoch: int) -> float:
        """Returns the weight at a moment of training.

        Args:
            step: The number of main steps done.
            epoch: The number of epochs done.
        """
        elapsed = step / self.steps if self.steps else epoch / (self.epochs or 1)
        return self.start + (self.to - self.start) * _SHAPES[self.shape](min(elapsed, 1.0))


def _kind(value: Any) -> str:
    return "<schedule>" if isinstance(value, dict | Schedule) else "<number>"


Weight: TypeAlias = Annotated[
    Annotated[float, Tag("<number>")] | Annotated[Schedule, Tag("<schedule>")], Discriminator(_kind)
]


def as_weight(weight: Weight | Mapping[str, Any]) -> Weight:
    """Returns a weight: a schedule given as a dict is made one.

    Args:
        weight: A number, a schedule, or the options of one.

    Raises:
        ConfigError: If an option of the schedule is not allowed.
    """
    if not isinstance(weight, Mapping):
        return weight
    return check(Schedule, dict(weight), "weight")


def weight_at(weight: Weight, step: int, epoch: int) -> float:
    """Returns a weight's value at a moment of training.

    Args:
        weight: A number or a schedule.
        step: The number of main steps done.
        epoch: The number of epochs done.
    """
    return weight.at(step, epoch) if isinstance(weight, Schedule) else weight


def final_weight(weight: Weight) -> float:
    """Returns the value that a weight has once its schedule has ended.

    Args:
        weight: A number or a schedule.
    """
    return weight.to if isinstance(weight, Schedule) else weight


def has_ended(weight: Weight, step: int, epoch: int) -> bool:
    """Returns whether a weight changes no more.

    Args:
        weight: A number or a schedule.
        step: The number of main steps done.
        epoch: The number of epochs done.
    """
    return (
        not isinstance(weight, Schedule) or (step / weight.steps if weight.steps else epoch / (weight.epochs or 1)) >= 1
    )
