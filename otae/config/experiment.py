"""The configuration of an experiment: its six keys, and YAML in and out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape
from typing import Annotated, Any, Self

import yaml
from pydantic import (
    Field,
    PrivateAttr,
    model_validator,
)

from ..errors import ConfigError
from ..signature import check
from .components import Section
from .evaluation import EvaluationConfig
from .parts import DataConfig, ModelConfig, TermConfig
from .training import TrainingConfig


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

    @model_validator(mode="after")
    def _watch_something(self) -> Self:
        scheduler = self.training.scheduler
        plateau = scheduler is not None and "plateau" in scheduler.name.lower()
        if self.data.validation == 0 and (self.training.early_stopping or plateau):
            which = "early_stopping" if self.training.early_stopping else "scheduler"
            raise ValueError(
                f"training.{which} judges by the validation split, which data.validation = 0 leaves out: give it a share or a "
                f"set of its own, or leave training.{which} out"
            )
        return self

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

    def _repr_html_(self) -> str:
        """Returns the experiment as YAML for notebooks, under its title."""
        return f"<b>{escape(self.title)}</b><pre>{escape(self.to_yaml())}</pre>"

    def to_yaml(self) -> str:
        """Returns the experiment as YAML, which reads back to the same experiment."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)


def parse(values: Any, where: str, changed: Collection[str] = ()) -> Experiment:
    """Returns the experiment that plain values describe, its components not yet looked up.

    Args:
        values: A mapping, as read from YAML.
        where: Where it came from, for messages.
        changed: The dotted paths of overrides, which messages blame for what lies on them.

    Raises:
        ConfigError: If a key is unknown or missing, or a value is not allowed.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}: a configuration is a mapping with the keys {', '.join(Experiment.model_fields)}.")
    return check(Experiment, values, where, changed=changed)
