"""What a part must be and return, checked where it is built and called: a law, one number, a shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.distributions import Distribution

from .cures import find_missing_call
from .faults import find_kind, make_fault


def require_law(law: object, encoder: object) -> Distribution:
    """Returns what an encoder returned, if it is a law.

    Args:
        law: What it returned.
        encoder: The encoder.

    Raises:
        PartError: If it is none.
    """
    if isinstance(law, Distribution):
        return law
    match law:
        case Tensor():
            cure = "For a deterministic code z, return otae.interfaces.Dirac(z), and set has_density = False."
        case tuple() | list():
            cure = "For mean and deviation, return Independent(Normal(mean, deviation), 1) of torch.distributions."
        case None:
            cure = "Its forward lacks a `return`."
        case _:
            cure = "Return a torch.distributions.Distribution."
    raise make_fault(encoder, f"returned {tell_value(law)}, where the law of the codes is needed", cure)


def require_scalar(value: object, cost: object) -> Tensor:
    """Returns what a cost returned, if it is one number in a tensor.

    Args:
        value: What it returned.
        cost: The cost.

    Raises:
        PartError: If it is not.
    """
    if isinstance(value, Tensor) and value.ndim == 0 and value.is_floating_point():
        return value
    match value:
        case Tensor() if value.ndim:
            cure = "A cost is one number: take the mean or the sum over the points."
        case Tensor():
            cure = "A cost is a floating-point number: call .float() before the sum."
        case None:
            cure = "Its forward lacks a `return`."
        case int() | float():
            cure = "Keep it a tensor: .item() and float() cut the gradient."
        case _:
            cure = "Return a tensor of one number."
    raise make_fault(cost, f"returned {tell_value(value)}, where one number in a tensor is needed", cure)


def require_shape(value: object, shape: tuple[int, ...], part: object, what: str, cure: str) -> Tensor:
    """Returns what a part returned, if it is a tensor of a shape.

    Args:
        value: What it returned.
        shape: The shape.
        part: The part.
        what: What it is, such as `draws`.
        cure: What to do where it is not.

    Raises:
        PartError: If it is not.
    """
    if isinstance(value, Tensor) and tuple(value.shape) == shape:
        return value
    raise make_fault(part, f"returned {tell_value(value)}, where {what} of shape {shape} are needed", cure)


def tell_value(value: object) -> str:
    """Returns what a value is in words, such as `a tensor of shape (3,)`.

    Args:
        value: The value.
    """
    match value:
        case None:
            return "None"
        case Tensor():
            return f"a tensor of shape {tuple(value.shape)} and type {str(value.dtype).removeprefix('torch.')}"
        case tuple() | list():
            return f"a {type(value).__name__} of {len(value)}"
    article = "an" if type(value).__name__[0].lower() in "aeiou" else "a"
    return f"{article} {type(value).__name__}"


def check_built(part: object, known: Mapping[str, Any], where: str) -> None:
    """Checks that a part that was built is one, and keeps what the builder handed in.

    Args:
        part: The part.
        known: What the builder knows, by name.
        where: What it is for, for messages.

    Raises:
        PartError: If its `__init__` did not call that of its base class, or kept another size.
    """
    kind = find_kind(part)
    if cure := find_missing_call(kind, part):
        raise make_fault(part, "was not made by its base class", cure, where)
    for name in ("latent_dim", "data_shape") if kind in ("encoder", "decoder", "prior") else ():
        kept = getattr(part, name, None)
        if name in known and kept is not None and kept != known[name]:
            cure = f"Hand {name} on to super().__init__, and do not change it."
            raise make_fault(part, f"keeps {name} = {kept}, where the builder handed in {known[name]}", cure, where)
    if kind == "dataset" and not hasattr(part, "data_shape"):
        raise make_fault(
            part, "tells no data_shape", "Set self.data_shape to the shape of one sample in __init__.", where
        )
