"""The way from a recipe's name or a file to a checked experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .build import resolve
from .config import Experiment, parse
from .differences import title_of
from .errors import OtaeError
from .extending import extended, is_path, read
from .overrides import overridden, paths_of
from .recipes import recipe


def load_config(
    source: str | Path | Mapping[str, Any], overrides: Iterable[str] = (), *, metrics_too: bool = True
) -> Experiment:
    """Returns an experiment, checked as a whole, with every default filled in; no data are read.

    A configuration may begin with `extends`, the name of a recipe or a path relative to its file: what follows is merged
    onto that one. Its title is the name of the recipe, file or folder, with what overrides change: `wae-mmd, prior=mixture`.

    Args:
        source: The name of a recipe, the path of a YAML file or of a run's folder, or plain values.
        overrides: Dotted overrides with YAML values, such as `model.prior.name=mixture`.
        metrics_too: Whether to look up the evaluation's metrics; a model can be used without them.

    Raises:
        ConfigError: If a key, an option or a value is not allowed, a file cannot be read, or it extends itself.
        PluginError: If a plugin or the recipe is unknown, broken, or offered twice.

    Examples:
        >>> load_config("gwae", overrides=["model.prior=mixture"]).model.prior.name
        'mixture'
    """
    changes = list(overrides)
    if isinstance(source, Mapping):
        return resolve(
            parse(overridden(extended(dict(source), "configuration"), changes), "configuration", paths_of(changes))
        )
    path = Path(source).expanduser()
    if not (isinstance(source, Path) or is_path(source) or (path / "config.yaml").is_file()):
        path = recipe(str(source)).path
    elif path.is_dir():
        path = path / "config.yaml"
    name = path.resolve().parent.name if path.name == "config.yaml" else path.stem
    values = read(path)
    experiment = resolve(parse(overridden(values, changes), str(path), paths_of(changes)), metrics_too=metrics_too)
    return experiment.titled(_title(name, values, experiment) if changes else name)


def _title(name: str, base: Any, experiment: Experiment) -> str:
    try:
        return title_of(name, resolve(parse(base, name)).to_dict(), experiment.to_dict())
    except OtaeError:  # what it began as is incomplete, or needs what is not installed
        return f"{name}, changed"
