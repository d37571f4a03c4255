"""Modules of a user's own package: found by entry point, filled by safetensors, frozen or trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from otae.errors import ConfigError
from otae.modules import fill_module, load_module

GROUP = "otae_networks.modules"


class Wrapped(nn.Module):
    """Creates a module of a user's package with its weights, checked on two inputs of zeros.

    Args:
        name: The module's name in the entry-point group `otae_networks.modules`.
        weights: A safetensors file with all of the module's state; its own where `None`.
        freeze: Whether the module stays as it is, in eval mode too, so that statistics of batches do not move.
        inputs: The shape of one input; not checked where `None`.

    Attributes:
        outputs: The shape of one output; empty where it was not checked.

    Raises:
        ConfigError: If there is no such module, it cannot be made, or its weights or inputs do not fit.
    """

    def __init__(self, name: str, weights: str | None, freeze: bool, inputs: tuple[int, ...] | None) -> None:
        super().__init__()
        self.freeze = freeze
        self.module = load_module(name, GROUP)
        if weights is not None:
            fill_module(self.module, weights)
        self.outputs = () if inputs is None else _outputs(name, self.module, inputs)
        self.module.requires_grad_(not freeze)
        self.train()

    def forward(self, x: Tensor) -> Any:
        return self.module(x)

    def train(self, mode: bool = True) -> Wrapped:
        return super().train(mode and not self.freeze)


def _outputs(name: str, module: nn.Module, inputs: tuple[int, ...]) -> tuple[int, ...]:
    call: Callable[[Tensor], Any] = module.eval()
    try:
        with torch.no_grad():
            outputs = call(torch.zeros(2, *inputs))
    except Exception as error:  # a stranger's code may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(f"The module {name!r} cannot take inputs of shape (N, {_told(inputs)}): {reason}") from error
    if not isinstance(outputs, Tensor) or outputs.ndim < 2 or len(outputs) != 2:
        got = f"shape {tuple(outputs.shape)}" if isinstance(outputs, Tensor) else type(outputs).__name__
        raise ConfigError(f"The module {name!r} must give a tensor of shape (2, …) for two inputs, but gave {got}.")
    return tuple(outputs.shape[1:])


def _told(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
