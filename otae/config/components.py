"""The building blocks of a configuration: sections and components."""

from __future__ import annotations

from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    model_validator,
)


class Section(BaseModel):
    """Creates a part of a configuration; unknown keys are forbidden."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, coerce_numbers_to_str=True)


class Component(BaseModel):
    """Creates a component in a configuration: `name`, or `{name: …, option: …}`.

    Attributes:
        name: The name of the plugin; all other keys are its options.
    """

    model_config = ConfigDict(extra="allow", allow_inf_nan=False, coerce_numbers_to_str=True)

    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def options(self) -> dict[str, Any]:
        """Returns the options that were set for the plugin itself."""
        return dict(self.model_extra or {})
