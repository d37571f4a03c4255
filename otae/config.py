"""The configuration of an experiment: its five keys, their types, and YAML in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias, get_args

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    model_validator,
)

from .errors import ConfigError
from .schedule import Weight
from .signature import check


class Section(BaseModel):
    """Creates a part of a configuration; unknown keys are forbidden."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Component(BaseModel):
    """Creates a component in a configuration: `name`, or `{name: …, option: …}`.

    Attributes:
        name: The name of the plugin; all other keys are its options.
    """

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def options(self) -> dict[str, Any]:
        """Returns the options that were set for the plugin itself."""
        return dict(self.model_extra or {})


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


class OptimizerConfig(Component):
    """Creates an optimiser of `torch.optim`, by name; further keys are its own options.

    Attributes:
        lr: The learning rate.
    """

    name: str = "rmsprop"
    lr: PositiveFloat = 1e-3


class SchedulerConfig(Component):
    """Creates a learning-rate scheduler of `torch.optim.lr_scheduler`, by name; further keys are its own options.

    Attributes:
        interval: Whether it moves each epoch or each step.
    """

    interval: Literal["epoch", "step"] = "epoch"


class AdversaryConfig(Section):
    """Creates the training of adversaries.

    Attributes:
        optimizer: Their optimiser.
        scheduler: The scheduler of its learning rate, or none.
        steps: The number of adversary steps after each main step.
    """

    optimizer: OptimizerConfig = Field(default_factory=OptimizerConfig)
    scheduler: SchedulerConfig | None = None
    steps: Annotated[int, Field(gt=0, le=10_000)] = 5


class EarlyStoppingConfig(Section):
    """Creates early stopping on the validation split.

    Attributes:
        monitor: `total`, or the name of a term.
        patience: The number of epochs without improvement after which training stops.
        min_delta: The smallest change that counts as an improvement.
    """

    monitor: str = "total"
    patience: PositiveInt = 10
    min_delta: Annotated[float, Field(ge=0)] = 0.0


class PartConfig(Section):
    """Creates the training of one part of the model.

    Attributes:
        lr: Its learning rate, in place of the main optimiser's; a scheduler moves both alike.
    """

    lr: PositiveFloat


PartName: TypeAlias = Literal["encoder", "decoder", "prior", "costs"]
PARTS: tuple[PartName, ...] = get_args(PartName)
"""The parts that may learn at a rate of their own; `costs` are the parameters that costs minimise."""


class TrainingConfig(Section):
    """Creates the training section.

    Attributes:
        epochs: The number of passes over the training split.
        optimizer: The main optimiser.
        scheduler: The scheduler of its learning rate, or none.
        parts: What differs for the encoder, the decoder, the prior, or the costs' own parameters.
        adversary: The training of adversaries.
        gradient_clip: The largest norm of the main and of the adversary's gradient, or none.
        early_stopping: When to stop before the last epoch, or never.
        accelerator: Where to train; `auto` takes the best there is.
        devices: The number of devices; `auto` takes one.
        threads: The number of torch's threads on the CPU; null leaves it as it is. Small networks are faster with 1.
        precision: The arithmetic; costs keep their sums in single precision at least.
    """

    epochs: Annotated[int, Field(gt=0, lt=2**31)] = 60
    optimizer: OptimizerConfig = Field(default_factory=OptimizerConfig)
    scheduler: SchedulerConfig | None = None
    parts: dict[PartName, PartConfig] = Field(default_factory=dict)
    adversary: AdversaryConfig = Field(default_factory=AdversaryConfig)
    gradient_clip: PositiveFloat | None = None
    early_stopping: EarlyStoppingConfig | None = None
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = "auto"
    devices: Literal["auto", 1] = "auto"
    threads: Annotated[int, Field(gt=0, le=1024)] | None = None
    precision: Literal["32-true", "64-true", "bf16-mixed"] = "32-true"

    @property
    def rates(self) -> list[float]:
        """Returns the learning rate of each of `PARTS`."""
        return [self.parts[part].lr if part in self.parts else self.optimizer.lr for part in PARTS]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | Mapping) else value


SplitName: TypeAlias = Literal["train", "validation", "test", "all"]


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
    splits: Annotated[list[SplitName], BeforeValidator(_listed), Field(min_length=1)] = ["test", "all"]


class Experiment(Section):
    """Creates a whole experiment: what `otae train` runs.

    Attributes:
        seed: The one seed of weights, splits, order, draws and projections.
        data: The dataset and its batches.
        model: The autoencoder.
        objective: The terms by name; a term set to null is left out.
        training: The training.
        evaluation: The evaluation.
    """

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    data: DataConfig
    model: ModelConfig
    objective: dict[str, TermConfig] = Field(min_length=1)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)

    _title: str = PrivateAttr(default="experiment")

    @model_validator(mode="before")
    @classmethod
    def _without_null_terms(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and isinstance(terms := value.get("objective"), Mapping):
            return {**value, "objective": {name: term for name, term in terms.items() if term is not None}}
        return value

    @property
    def title(self) -> str:
        """Returns the name of the recipe or file that the experiment came from."""
        return self._title

    def titled(self, title: str) -> Experiment:
        """Returns the experiment under another title.

        Args:
            title: The name of the recipe or file, and what was changed; its printable letters are kept, 160 at the most.
        """
        copy = self.model_copy()
        copy._title = "".join(filter(str.isprintable, title))[:160].strip() or "experiment"
        return copy

    def to_dict(self) -> dict[str, Any]:
        """Returns the experiment as plain lists, dicts and numbers."""
        return self.model_dump(mode="json", by_alias=True)

    def to_yaml(self) -> str:
        """Returns the experiment as YAML, which reads back to the same experiment."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)


def parse(values: Any, where: str) -> Experiment:
    """Returns the experiment that plain values describe, its components not yet looked up.

    Args:
        values: A mapping, as read from YAML.
        where: Where it came from, for messages.

    Raises:
        ConfigError: If a key is unknown or missing, or a value is not allowed.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}: a configuration is a mapping with the keys {', '.join(Experiment.model_fields)}.")
    return check(Experiment, values, where)
