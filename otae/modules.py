"""Modules of a user's own package: found by entry point, filled by safetensors."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from .errors import ConfigError, unknown_name


def load_module(name: str, group: str) -> nn.Module:
    """Returns a fresh module that some package offers.

    Args:
        name: The module's name.
        group: The entry-point group of such modules.

    Raises:
        ConfigError: If no or several distributions offer it, or it cannot be made.
    """
    offers = entry_points(group=group)
    if not (found := list(offers.select(name=name))):
        cure = f'Offer it in your package: [project.entry-points."{group}"] {name} = "my_package:MyModule"'
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


def fill_module(module: nn.Module, weights: str) -> None:
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


def _origin(entry: Any) -> str:
    return f"{entry.dist.name} {entry.dist.version} ({entry.value})"
