"""What an experiment is made of: the sections of data, model and terms."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    model_validator,
)

from ..schedule import Weight
from .components import Component, Section


class DataConfig(Component):
    """Creates the data section: a dataset, and how it is split and batched.

    Attributes:
        batch_size: The largest number of samples in a batch; all batches of a split are equally large, up to one sample.
        validation: The share of samples kept for validation.
        test: The share of samples kept for the test.
        workers: The number of processes that read ahead; 0 reads in the training process.
    """

    batch_size: Annotated[int, Field(gt=0, lt=2**31)] = 64
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1
    test: Annotated[float, Field(gt=0, lt=1)] = 0.2
    workers: Annotated[int, Field(ge=0, le=256)] = 0

    @model_validator(mode="after")
    def _leave_some(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together leave nothing to train on: their sum must stay below 1")
        return self


class ModelConfig(Section):
    """Creates the model section.

    Attributes:
        latent_dim: The number of entries of a code.
        encoder: The encoder.
        decoder: The decoder.
        prior: The prior family.
    """

    latent_dim: Annotated[int, Field(gt=0, le=2**20)]
    encoder: Component
    decoder: Component
    prior: Component


def _names(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _shortest(names: list[str]) -> str | list[str]:
    return names[0] if len(names) == 1 else names


CloudNames = Annotated[
    list[str],
    BeforeValidator(_names, json_schema_input_type=str | list[str]),
    PlainSerializer(_shortest),
    Field(min_length=1),
]


class TermConfig(Section):
    """Creates a term of the objective.

    Attributes:
        cost: The cost.
        source: A cloud, or a list of clouds as a joint cloud.
        target: Likewise; left out for a cost that looks at its source alone.
        weight: A number or a schedule.
        memory: How many recent points of either cloud join it while training, cut from the graph.
    """

    cost: Component
    source: CloudNames
    target: CloudNames | None = None
    weight: Weight = 1.0
    memory: Annotated[int, Field(ge=0)] = 0
