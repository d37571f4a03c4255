"""Where a training stands: the numbers that a checkpoint holds beside weights and optimisers."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import RunError
from ..fingerprint import Fingerprint

Count = Annotated[int, Field(ge=0, lt=2**62)]


class Judgement(BaseModel):
    """Holds what early stopping knows.

    Attributes:
        lowest: The lowest value so far, whose weights are kept; none before the first judged epoch.
        lowest_step: The step of that value.
        reference: The last value that counted as an improvement.
        waited: The number of epochs since.
        stopped: Whether training is over for want of improvement.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    lowest: float | None = None
    lowest_step: Count | None = None
    reference: float | None = None
    waited: Count = 0
    stopped: bool = False


class Position(BaseModel):
    """Holds where a training stands, and what it is the training of.

    Attributes:
        step: The number of main steps done.
        epochs: The number of whole epochs done.
        rows: The number of rows in metrics.csv.
        judgement: What early stopping knows.
        configuration: The resolved configuration, as JSON.
        data: What identifies the data.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    step: Count
    epochs: Count
    rows: Count
    judgement: Judgement
    configuration: str
    data: Fingerprint

    @property
    def values(self) -> dict[str, Any]:
        """Returns the configuration as plain values."""
        values: dict[str, Any] = json.loads(self.configuration)
        return values


def parse_position(content: dict[str, Any], where: str) -> Position:
    """Returns the position in a checkpoint, every number of it checked.

    Args:
        content: What the checkpoint holds.
        where: Its file, for messages.

    Raises:
        RunError: If it lacks something, or a value is not what it must be.
    """
    try:
        position = Position.model_validate_json(json.dumps(content.get("otae")))
        if not isinstance(position.values, dict):
            raise ValueError("its configuration is no mapping")
    except (ValidationError, ValueError, TypeError, RecursionError) as error:
        raise RunError(f"{where} is corrupt: it does not say where the training stands.") from error
    return position
