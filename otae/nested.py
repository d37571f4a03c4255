"""Components inside another's options, such as a dataset that a metric compares with: by name and options, or made."""

from __future__ import annotations

import types
from functools import cache
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, InstanceOf, create_model, model_validator
from pydantic.json_schema import SkipJsonSchema

from .interfaces import Cost, Dataset, Decoder, Encoder, Ground, Kernel, Metric, Prior

KINDS: dict[type, str] = {
    Cost: "cost",
    Dataset: "dataset",
    Decoder: "decoder",
    Encoder: "encoder",
    Ground: "ground",
    Kernel: "kernel",
    Metric: "metric",
    Prior: "prior",
}
"""The kind of each interface that the type of an option may name."""


_HINTS = {
    "kernel": "; several are a list, as [{name: weighted, kernel: gaussian, weight: 0.5}, energy]",
    "ground": ", as in {name: euclidean, power: 1}",
}


class Nested(BaseModel):
    """Holds a component among the options of another, not yet made: `name`, or `{name: …, option: …}`.

    Attributes:
        kind: The kind of the component, such as `dataset`.
        name: The name of the plugin; all other keys are its options.
    """

    model_config = ConfigDict(extra="allow", allow_inf_nan=False, coerce_numbers_to_str=True)

    kind: ClassVar[str]
    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        if isinstance(value, dict) and "name" not in value:
            keys = ", ".join(map(str, value))
            raise ValueError(
                f"a {cls.kind} is a name, or {{name: …, option: …}}, got the keys {keys}{_HINTS.get(cls.kind, '')}"
            )
        return {"name": value} if isinstance(value, str) else value

    @property
    def options(self) -> dict[str, Any]:
        """Returns the options that were set for the plugin itself."""
        return dict(self.model_extra or {})


def is_component(value: Any) -> bool:
    """Tells whether a value is a component that was made, of a kind that options may hold.

    Args:
        value: The value.
    """
    return isinstance(value, tuple(KINDS))


def kind_of(component: Any) -> str:
    """Returns the kind of a component that was made.

    Args:
        component: The component.
    """
    return next(kind for interface, kind in KINDS.items() if isinstance(component, interface))


def configurable(annotation: Any) -> Any:
    """Returns the type of an option in which each interface, such as `Dataset`, stands for an instance or a configuration.

    Args:
        annotation: The type, as an `__init__` gives it.
    """
    if not _mentions(annotation):
        return annotation
    if isinstance(annotation, type):
        return _choice(annotation)
    origin, inner = get_origin(annotation), tuple(map(configurable, get_args(annotation)))
    return {Annotated: Annotated, Union: Union, types.UnionType: Union}.get(origin, origin)[inner]


def _mentions(annotation: Any) -> bool:
    return (isinstance(annotation, type) and annotation in KINDS) or any(map(_mentions, get_args(annotation)))


@cache
def nested_type(interface: type) -> type[Nested]:
    """Returns the model of a component of a kind that is not yet made.

    Args:
        interface: The interface of the kind, such as `Dataset`.
    """
    nested = create_model(f"Nested{interface.__name__}", __base__=Nested)
    nested.kind = KINDS[interface]
    return nested


def _choice(interface: type) -> Any:
    return Union[nested_type(interface), SkipJsonSchema[InstanceOf[interface]]]  # type: ignore[misc, valid-type]  # noqa: UP007
