"""The kernel that a cost was given: one, or several as their sum."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Field

from otae.errors import ConfigError
from otae.interfaces import Kernel, Sum

Kernels: TypeAlias = Kernel | Annotated[list[Kernel], Field(min_length=1)]


def require_kernel(value: Any) -> Kernel:
    """Returns the kernel that a cost was given, the sum of several.

    Args:
        value: What it was given.

    Raises:
        ConfigError: If it is no kernel, such as the name of one.
    """
    several = list(value) if isinstance(value, list | tuple) else [value]
    if several and all(isinstance(each, Kernel) for each in several):
        return several[0] if len(several) == 1 else Sum(several)
    raise ConfigError(
        f"A kernel is an object, such as Gaussian(1.0) + 0.5 * IMQ(), got {value!r}. Names are looked up by "
        "otae.kernels.create(name) and in configurations: kernel: {name: gaussian, bandwidth: 1}, or a list of such."
    )
