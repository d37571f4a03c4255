"""What an experiment is made of: the sections of data, model and terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    model_validator,
)

from ..schedule import Weight
from .components import Component, Section


class OwnSet(Section):
    """Creates a validation or test set of its own, in place of a share; exactly one of its keys is given.

    Attributes:
        path: A file or folder of the same form as the data, scaled as these are.
        indices: A file of the indices of samples among the data, counted from 0: a `.npy` file of whole numbers, or text with
            one a line.
    """

    path: Annotated[str, Field(min_length=1)] | None = None
    indices: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _take_one(self) -> Self:
        if (self.path is None) == (self.indices is None):
            raise ValueError("give either path, a file or folder of samples, or indices, a file of whole numbers")
        return self


class Groups(Section):
    """Creates the rule that samples of one group stay together, such as all pictures of one patient.

    Attributes:
        groups: The group of each sample: a factor of the data, or a file: `.npy`, text with one a line, or a table.
        column: The column of the table.
    """

    groups: Annotated[str, Field(min_length=1)]
    column: str | None = None


def _held_out_kind(value: Any) -> str:
    return "<own set>" if isinstance(value, str | Mapping | OwnSet) else "<share>"


def _from_path(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


HeldOut = Annotated[
    Annotated[Annotated[float, Field(ge=0, lt=1)], Tag("<share>")]
    | Annotated[OwnSet, BeforeValidator(_from_path, json_schema_input_type=OwnSet | str), Tag("<own set>")],
    Discriminator(_held_out_kind),
]
"""What is held out from training: a share of the samples, or a set of its own."""


def _rule_kind(value: Any) -> str:
    return "<groups>" if isinstance(value, Mapping | Groups) else "<rule>"


SplitBy = Annotated[
    Annotated[Literal["random", "labels", "official"], Tag("<rule>")] | Annotated[Groups, Tag("<groups>")],
    Discriminator(_rule_kind),
]
"""The rule by which shares are drawn."""


class DataConfig(Component):
    """Creates the data section: a dataset, and how it is split and batched.

    Attributes:
        batch_size: The largest number of samples in a batch; all batches of a split are equally large, up to one sample.
        validation: The share of samples kept for validation, 0 for none; or a set of its own: a path, `{path: …}`, or
            `{indices: …}`.
        test: The share of samples kept for the test, or a set of its own, likewise.
        split_by: How shares are drawn: `random`; `labels`, so that each class has its share in each split; `official`, the
            split that comes with the data; or `{groups: …}`, so that samples of one group stay together.
        workers: The number of processes that read ahead; 0 reads in the training process.
    """

    batch_size: Annotated[int, Field(gt=0, lt=2**31)] = 64
    validation: HeldOut = 0.1
    test: HeldOut = 0.2
    split_by: SplitBy = "random"
    workers: Annotated[int, Field(ge=0, le=256)] = 0

    @model_validator(mode="after")
    def _leave_some(self) -> Self:
        shares = [each for each in (self.validation, self.test) if isinstance(each, int | float)]
        if sum(shares) >= 1:
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
        gather: Whether the cost sees the whole batch where several processes share it, or each its own samples alone.
    """

    cost: Component
    source: CloudNames
    target: CloudNames | None = None
    weight: Weight = 1.0
    memory: Annotated[int, Field(ge=0)] = 0
    gather: bool = True
