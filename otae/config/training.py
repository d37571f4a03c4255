"""The section of training, and its optimisers, schedulers and parts."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
)

from .components import Component, Section


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
        devices: The number of devices of a machine, with a process each; `auto` takes one, or those that torchrun or srun
            has started. The batch is shared out among them, and the result is that of one.
        nodes: The number of machines.
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
    devices: Literal["auto"] | Annotated[int, Field(gt=0, le=1024)] = "auto"
    nodes: Annotated[int, Field(gt=0, le=65_536)] = 1
    threads: Annotated[int, Field(gt=0, le=1024)] | None = None
    precision: Literal["32-true", "64-true", "bf16-mixed"] = "32-true"

    @property
    def rates(self) -> list[float]:
        """Returns the learning rate of each of `PARTS`."""
        return [self.parts[part].lr if part in self.parts else self.optimizer.lr for part in PARTS]
