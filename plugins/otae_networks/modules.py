"""Modules of a user's own package: found by entry point, filled by safetensors, frozen or trained on."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from otae.errors import ConfigError, unknown_name

GROUP = "otae_networks.modules"


class Wrapped(nn.Module):
    """Creates a module of a user's package with its weights, checked on two inputs of zeros.

    Args:
        name: The module's name in the entry-point group `otae_networks.modules`.
        weights: A safetensors file with all of the module's state; its own where `None`.
        freeze: Whether the module stays as it is, in eval mode too, so that statistics of batches do not move.
        inputs: The shape of one input.

    Attributes:
        outputs: The shape of one output.

    Raises:
        ConfigError: If there is no such module, it cannot be made, or its weights or inputs do not fit.
    """

    def __init__(self, name: str, weights: str | None, freeze: bool, inputs: tuple[int, ...]) -> None:
        super().__init__()
        self.freeze = freeze
        self.module = made(name)
        if weights is not None:
            fill(self.module, weights)
        self.outputs = _outputs(name, self.module, inputs)
        self.module.requires_grad_(not freeze)
        self.train()

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.module(x)
        return outputs

    def train(self, mode: bool = True) -> Wrapped:
        return super().train(mode and not self.freeze)


def made(name: str) -> nn.Module:
    """Returns a fresh module of the entry-point group `otae_networks.modules`.

    Args:
        name: The module's name.

    Raises:
        ConfigError: If no or several distributions offer it, or it cannot be made.
    """
    offers = entry_points(group=GROUP)
    if not (found := list(offers.select(name=name))):
        cure = f'Offer it in your package: [project.entry-points."{GROUP}"] {name} = "my_package:MyModule"'
        raise ConfigError(f"{unknown_name('module', name, offers.names)} {cure}.")
    if len(found) > 1:
        listed = " and ".join(_origin(each) for each in found)
        raise ConfigError(f"The module {name!r} is offered by {listed}: uninstall one of them.")
    try:
        module = found[0].load()()
    except Exception as error:  # a stranger's code may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(
            f"The module {name!r} of {_origin(found[0])} cannot be made without arguments: {reason}"
        ) from error
    if not isinstance(module, nn.Module):
        raise ConfigError(f"{_origin(found[0])} makes a {type(module).__name__}, where a torch.nn.Module is needed.")
    return module


def fill(module: nn.Module, weights: str) -> None:
    """Loads a module's state from a safetensors file, which holds numbers and no code.

    Args:
        module: The module, changed in place.
        weights: The file; `~` is the home folder, and a relative path starts at the working directory.

    Raises:
        ConfigError: If the file is missing or of another format, or does not hold exactly the module's state.
    """
    path = Path(weights).expanduser().absolute()
    if not path.is_file():
        raise ConfigError(f"There is no file '{path}'. Check the option `weights`.")
    try:
        state = load_file(path)
    except SafetensorError as error:
        cure = "Write it with safetensors.torch.save_file(module.state_dict(), path): pickled files are never loaded"
        raise ConfigError(f"'{path}' is no safetensors file: {error}. {cure}.") from error
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise ConfigError(f"'{path}' does not fit the module. {error}") from error


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


def _origin(entry: Any) -> str:
    return f"{entry.dist.name} {entry.dist.version} ({entry.value})"
