"""The section of the evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    PositiveInt,
)

from .components import Component, Section


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | Mapping) else value


SplitName: TypeAlias = Literal["train", "validation", "test", "all"]


def _default_splits() -> list[SplitName]:
    return ["test", "all"]


class EvaluationConfig(Section):
    """Creates the evaluation section: how the trained model is judged.

    Attributes:
        metrics: The metrics, each a name or `{name: …, option: …}`; `default` stands for every installed metric that is
            not costly and that the data allow.
        samples: The number of draws from the prior to judge.
        limit: The largest number of samples of a split to judge, drawn by seed where there are more.
        splits: The splits to judge: of `train`, `validation`, `test`, and `all` of them together.
    """

    metrics: Annotated[
        list[Component],
        BeforeValidator(_listed, json_schema_input_type=list[Component] | Component | str),
        Field(min_length=1),
    ] = Field(default_factory=lambda: [Component(name="default")])
    samples: PositiveInt = 10_000
    limit: PositiveInt = 10_000
    splits: Annotated[list[SplitName], BeforeValidator(_listed), Field(min_length=1)] = Field(
        default_factory=_default_splits
    )
