"""The bound on what a part may take while it is built: refused before its numbers are written, not once memory has ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn.modules import module as hooks

from .errors import ConfigError

_MOST_TENSORS = 5_000  # large language models have a thousand


@contextmanager
def bounding(memory: int | None = None) -> Iterator[None]:
    """Refuses modules whose weights with their gradients take more than this machine's memory, or that are too many.

    A weight is counted when it is registered: its pages are claimed by then, and not yet written.

    Args:
        memory: The memory, in bytes; that of this machine where `None`.

    Raises:
        ConfigError: If there are too many or too large ones.
    """
    limit, seen, size = memory or read_memory(), 0, 0

    def count(module: nn.Module, name: str, value: Any) -> None:  # noqa: ARG001 - torch calls it so
        nonlocal seen, size
        if isinstance(value, Tensor):
            seen, size = seen + 1, size + value.numel() * value.element_size()
        if seen > _MOST_TENSORS:
            raise ConfigError(f"it has more than {_MOST_TENSORS:,} weights and buffers. Make it less deep.")
        if 2 * size > limit:
            raise ConfigError(
                f"its weights take {size / 2**30:,.1f} GiB or more, and as much for their gradients, of {limit / 2**30:,.1f} GiB "
                "of memory. Make it smaller: widths, channels, depths."
            )

    with ExitStack() as stack:
        for register in (
            hooks.register_module_parameter_registration_hook,
            hooks.register_module_buffer_registration_hook,
        ):
            stack.callback(register(count).remove)
        yield


def read_memory() -> int:
    """Returns this machine's memory, in bytes; without a bound where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2**62
