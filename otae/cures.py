"""The likely cures of what parts raise, found in the error's own words and in the part's source."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator

from torch import Tensor, nn

_FIRST = {
    "encoder": "super().__init__(data_shape, latent_dim)",
    "decoder": "super().__init__(latent_dim, data_shape)",
    "prior": "super().__init__(latent_dim)",
}
_UNINITIALISED = (
    "before Module.__init__() call",
    "'_parameters'",
    "'_modules'",
    "'_buffers'",
    "'_forward_hooks'",
    "'_anchor'",
)


def find_cure(kind: str, part: object, error: BaseException) -> str:
    """Returns what to do about an error that a part raised, or an empty string where that is not known.

    Args:
        kind: The kind of the part.
        part: The part, or its class.
        error: The error.
    """
    return next(_cures(kind, part, f"{type(error).__name__}: {error}"), "")


def find_missing_call(kind: str, part: object) -> str:
    """Returns what to do where a part did not call its base class's `__init__`, or an empty string where it did.

    Args:
        kind: The kind of the part.
        part: The part.
    """
    called = "_modules" in vars(part) if isinstance(part, nn.Module) else True
    needed = {
        "encoder": ("data_shape", "latent_dim"),
        "decoder": ("data_shape", "latent_dim"),
        "prior": ("latent_dim",),
    }
    if called and all(hasattr(part, name) for name in needed.get(kind, ())):
        return ""
    return _call_base(kind)


def _call_base(kind: str) -> str:
    return f"Begin its __init__ with {_FIRST.get(kind, 'super().__init__()')}."


def _cures(kind: str, part: object, text: str) -> Iterator[str]:
    if "MemoryError" in text or "allocate" in text or "overflow" in text.lower():
        yield "That is more memory than there is: make it smaller."
    if any(each in text for each in _UNINITIALISED) or (
        "has no attribute 'latent_dim'" in text or "has no attribute 'data_shape'" in text
    ):
        yield _call_base(kind)
    if kind == "cost" and ("Cloud" in text or _is_tensor(_annotation(part))):
        told = " (they are annotated as Tensor)" if _is_tensor(_annotation(part)) else ""
        yield f"Its forward is given Clouds{told}: take source.flat, with shape (N, D), or source.points."
    if kind == "metric" and "NoneType" in text:
        yield "If it needs labels or factors, set needs_labels = True or needs_factors = True: labels and factors may be None."
    if kind == "prior" and ("np.random" in _source(part, "sample") or "ndarray" in text or "Double" in text):
        yield "Draw noise with self.normal or self.uniform, not with np.random: they obey generator, type and device."
    if "same device" in text or "Double" in text or "same dtype" in text:
        yield "Create tensors like the input (x.new_zeros), and keep constants as buffers."
    if "shapes cannot be multiplied" in text or "size of tensor" in text:
        yield "Its layers do not fit its input: take their sizes from what the builder hands in (data_shape, latent_dim, shapes)."
    if "unexpected keyword argument" in text or "positional argument" in text:
        yield f"Its methods must take what those of otae.{kind.capitalize()} take."
    if kind == "dataset" and "expected Tensor as element" in text:
        yield "__getitem__ must return one floating-point tensor, such as torch.as_tensor(x).float(); labels go into self.labels."
    if kind == "dataset" and ("pickle" in text.lower() or "Can't get" in text):
        yield "Keep no function, file or lock as an attribute: workers pickle datasets; or set data.workers to 0."


def _annotation(part: object) -> object:
    cls = part if isinstance(part, type) else type(part)
    forward: Callable[..., object] | None = getattr(cls, "forward", None)
    if forward is None:
        return None
    names = list(inspect.signature(forward).parameters.values())[1:2]
    return names[0].annotation if names else None


def _is_tensor(annotation: object) -> bool:
    return annotation is Tensor or annotation in ("Tensor", "torch.Tensor")


def _source(part: object, method: str) -> str:
    cls = part if isinstance(part, type) else type(part)
    try:
        return inspect.getsource(getattr(cls, method))
    except (OSError, TypeError, AttributeError):
        return ""
