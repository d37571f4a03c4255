"""The players of a training: the model with its costs, which minimises, and the adversaries, which answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from ..build import Parts
from ..config import PARTS, AdversaryConfig, PartName, TrainingConfig
from ..optimizers import optimizer, scheduler


@dataclass(frozen=True)
class Player:
    """Holds one side of a training.

    Args:
        path: The dotted path of its section.
        section: The section of its optimiser and schedule.
        groups: Its parameters, in groups with a learning rate each.
    """

    path: str
    section: TrainingConfig | AdversaryConfig
    groups: tuple[tuple[float, list[nn.Parameter]], ...]

    @cached_property
    def parameters(self) -> list[nn.Parameter]:
        """Returns its parameters, in order."""
        return [parameter for _, group in self.groups for parameter in group]

    @property
    def rates(self) -> list[float]:
        """Returns the configured learning rate of each group."""
        return [rate for rate, _ in self.groups]

    def create_optimizer(self) -> Optimizer:
        """Returns its optimiser, fresh."""
        groups: list[dict[str, Any]] = [{"params": group, "lr": rate} for rate, group in self.groups]
        return optimizer(self.section.optimizer, groups, f"{self.path}.optimizer")

    def create_scheduler(self, target: Optimizer) -> LRScheduler | None:
        """Returns the schedule of its learning rates, or `None`.

        Args:
            target: Its optimiser.
        """
        config = self.section.scheduler
        return None if config is None else scheduler(config, target, f"{self.path}.scheduler")


def find_players(parts: Parts, training: TrainingConfig) -> tuple[Player, ...]:
    """Returns the main player, and the adversaries where there are any.

    Args:
        parts: The model and the objective.
        training: The training section.
    """
    groups = _minimised_by_part(parts)
    main = Player("training", training, tuple(zip(training.rates, groups.values(), strict=True)))
    maximised, adversary = parts.objective.maximised(), training.adversary
    answering = Player("training.adversary", adversary, ((adversary.optimizer.lr, maximised),))
    return (main, answering) if maximised else (main,)


def _minimised_by_part(parts: Parts) -> dict[PartName, list[nn.Parameter]]:
    model = parts.model
    owners = (
        *(part.parameters() for part in (model.encoder, model.decoder, model.prior)),
        parts.objective.minimised(),
    )
    found: dict[PartName, list[nn.Parameter]] = {}
    taken: set[int] = set()  # parts may share parameters: the first has them
    for name, owned in zip(PARTS, owners, strict=True):
        found[name] = [each for each in owned if each.requires_grad and id(each) not in taken]
        taken |= {id(each) for each in found[name]}
    return found
