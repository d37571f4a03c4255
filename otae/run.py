"""A run: the folder that training leaves behind, and the way back to the trained model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, TypeAdapter, ValidationError
from torch import Tensor, nn

from . import folder
from .autoencoder import Autoencoder
from .build import Parts, Shape, build, plugins_used
from .comparison import require_unchanged, to_canonical
from .config import Experiment
from .errors import PluginError, RunError
from .explanation import explain
from .files import stamp, write_json, write_text
from .hub import PREFIX, pull
from .interfaces import Dataset, InMemory
from .kept_data import find_preparation, require_data_in_memory
from .loading import load_config
from .objective import Objective
from .provenance import (
    PluginRecord,
    Provenance,
    describe_command,
    describe_origins,
    require_same_distributions,
    warn_of_versions,
)
from .registry import registries
from .splits import open_data
from .weights import read_weights, write_weights


class _Figures(BaseModel):
    """Holds what of an evaluation's file a run reads."""

    figures: dict[str, dict[str, dict[str, float]]]


class Run:
    """Creates a view of a run's folder.

    Args:
        path: The folder.
        data: The data that it was trained on, where these were handed over in memory and are needed again.
        labels: Their labels, as for `otae.train`.
        factors: Their factors, as for `otae.train`.

    Raises:
        RunError: If the folder does not exist or holds no run.
    """

    def __init__(self, path: str | Path, *, data: Any = None, labels: Any = None, factors: Any = None) -> None:
        self.path = Path(path).expanduser()
        self.memory = None if data is None else InMemory(data, labels, factors)
        self._told = False
        self._checked: tuple[Any, Experiment] | None = None
        if not (self.path / "config.yaml").is_file():
            raise RunError(
                f"{self.path} holds no run: there is no config.yaml in it. Give a folder that `otae train` wrote."
            )

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @classmethod
    def create(cls, path: Path, experiment: Experiment, *, overwrite: bool = False) -> Run:
        """Returns a new run, its folder made, its configuration and provenance written.

        Args:
            path: The folder: new, empty, or with no more in it than a run leaves that died before its first checkpoint.
            experiment: The resolved experiment.
            overwrite: Whether to remove the files of a run that is there; other files stay.

        Raises:
            RunError: If the folder holds something already, or cannot be written.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            is_run = (path / folder.CONFIG).is_file() and (path / folder.PROVENANCE).is_file()
            has_begun = folder.has_begun(path)
        except OSError as error:
            raise RunError(
                f"Cannot make the run's folder {path}: {error.strerror}. Choose another --output."
            ) from error
        if has_begun and not is_run:
            raise RunError(f"{path} is not empty. Choose another --output.")
        if has_begun and not overwrite:
            raise RunError(
                f"{path} is not empty. Choose another --output, continue that run with `otae resume {path}`, or replace it "
                "with --overwrite."
            )
        folder.require_own_folders(path)
        folder.clear(path)
        write_json(
            path / folder.PROVENANCE, describe_origins(experiment.title, experiment.seed, plugins_used(experiment))
        )
        write_text(path / folder.CONFIG, experiment.to_yaml())
        return cls(path)

    @property
    def experiment(self) -> Experiment:
        """Returns the experiment, read and checked again only where its files or the plugins on offer have changed.

        Raises:
            RunError: If a plugin that the run was trained with is missing or broken, or another distribution offers its name.
        """
        offered = tuple(offer for each in registries().values() for offer in each.offers())
        state = (stamp(self.path / folder.CONFIG), stamp(self.path / folder.PROVENANCE), offered)
        if self._checked is None or self._checked[0] != state:
            self._checked = state, self._check_experiment()
        return self._checked[1].model_copy(deep=True)

    def _check_experiment(self) -> Experiment:
        try:
            experiment = load_config(self.path, metrics_too=False).titled(self.provenance.get("title", self.path.name))
        except PluginError as error:
            raise RunError(f"The run {self.path} cannot be loaded. {error} {self._origins()}") from error
        self._require_same_plugins(experiment)
        return experiment

    @property
    def provenance(self) -> dict[str, Any]:
        """Returns what the run was made with: versions, plugins, seed, command.

        Raises:
            RunError: If the file is missing or corrupt.
        """
        kept: dict[str, Any] = self._json("provenance.json", TypeAdapter(Provenance))
        return kept

    @property
    def metrics(self) -> dict[str, Any]:
        """Returns the figures of the evaluation, by split, metric and name.

        Raises:
            RunError: If the file is missing or corrupt.
        """
        return dict(self._json("evaluation.json", TypeAdapter(_Figures))["figures"])

    @cached_property
    def dataset(self) -> Dataset:
        """Returns the dataset that the run was trained on, opened once.

        Raises:
            DataError: If its files are missing or corrupt.
            RunError: If it was handed over in memory, and was not again.
        """
        experiment = self.experiment
        require_data_in_memory(self, experiment, self.memory)
        return open_data(experiment, self.memory)

    @cached_property
    def model(self) -> Autoencoder:
        """Returns the trained autoencoder, in eval mode, on the CPU."""
        model = self._parts.model
        model.preparation = find_preparation(self)
        return model

    @cached_property
    def objective(self) -> Objective:
        """Returns the objective with its trained costs, in eval mode, on the CPU."""
        return self._parts.objective

    def add_training_time(self, seconds: float) -> None:
        """Adds to the training time that the provenance tells, over all resumptions.

        Args:
            seconds: The time to add.
        """
        self.record(training_seconds=round(self.provenance.get("training_seconds", 0.0) + seconds, 3))

    def record(self, **entries: Any) -> None:
        """Writes entries into the provenance, in place of those of the same name.

        Args:
            entries: Plain lists, dicts, numbers and text, by name.
        """
        write_json(self.path / folder.PROVENANCE, {**self.provenance, **entries})

    @property
    def continuations(self) -> list[dict[str, Any]]:
        """Returns what was changed when the run went on after a checkpoint, oldest first."""
        return list(self.provenance.get("continued", []))

    def go_on(self, experiment: Experiment, entry: dict[str, Any]) -> None:
        """Writes a changed configuration, and what changed into the provenance; the former results are out of date.

        Args:
            experiment: The resolved experiment to go on with.
            entry: What changed, and at which step.
        """
        self.record(continued=[*self.continuations, {**entry, **describe_command()}])
        write_text(self.path / "config.yaml", experiment.to_yaml())
        for name in ("report.html", "evaluation.json"):
            (self.path / name).unlink(missing_ok=True)

    def save(self, parts: Parts, shape: Shape) -> None:
        """Writes the trained weights, of the model and of the objective's costs.

        Args:
            parts: The trained parts.
            shape: What the data told, kept with the weights, so that loading needs no data.
        """
        metadata = {
            "data_shape": json.dumps(shape.data_shape),
            "value_range": json.dumps(shape.value_range),
            "configuration": to_canonical(self.experiment),
        }
        for name, module in (("objective", parts.objective), ("model", parts.model)):
            write_weights(self.path / f"{name}.safetensors", module.state_dict(), metadata)
        self.__dict__.pop("_parts", None)

    @cached_property
    def _parts(self) -> Parts:
        experiment, read = self.experiment, {}
        for name in ("model", "objective"):
            read[name], metadata = self._read(self.path / f"{name}.safetensors")
            require_unchanged(self.path, metadata["configuration"], experiment)
        with torch.random.fork_rng(devices=[]):
            parts = build(experiment, _shape(metadata))
        for name, module in (("model", parts.model), ("objective", parts.objective)):
            self._restore(self.path / f"{name}.safetensors", module, read[name])
        return parts

    def _read(self, path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
        try:
            tensors, metadata = read_weights(path)
        except FileNotFoundError as error:
            cure = f"finish it with `otae resume {self.path}`"
            raise RunError(f"The run {self.path} has no {path.name}: it was not trained to its end; {cure}.") from error
        if missing := {"data_shape", "value_range", "configuration"} - set(metadata):
            raise RunError(f"{path} lacks {', '.join(sorted(missing))}: otae did not write it. Restore it from a copy.")
        return tensors, metadata

    def _restore(self, path: Path, module: nn.Module, state: dict[str, Tensor]) -> None:
        if any(value.dtype == torch.float64 for value in state.values()):
            module.double()
        try:
            module.load_state_dict(state)
        except RuntimeError as error:
            raise RunError(f"{path} does not fit its configuration: {error}. {self._origins()}") from error
        module.eval()

    def _origins(self) -> str:
        used = self._plugins().values()
        registered = sorted({each.name for each in used if each.distribution == "session"})
        needed = sorted({each.requirement for each in used if each.distribution != "session"})
        told = [f"It was trained with {', '.join(needed)}: install these."] if needed else []
        told += [f"Its session had registered {', '.join(registered)}: register these first."] if registered else []
        return " ".join(told)

    def _plugins(self) -> dict[str, PluginRecord]:
        return Provenance.model_validate(self.provenance).plugins

    def _require_same_plugins(self, experiment: Experiment) -> None:
        trained, now = self._plugins(), plugins_used(experiment)
        require_same_distributions(self.path, trained, now)
        if not self._told:
            self._told = True
            warn_of_versions(self.path, trained, now)

    def _json(self, name: str, form: TypeAdapter[Any]) -> Any:
        path = self.path / name
        try:
            values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            form.validate_python(values)
        except FileNotFoundError as error:
            raise RunError(f"The run {self.path} has no {name}. Was it trained and evaluated to its end?") from error
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror}.") from error
        except ValidationError as error:
            raise RunError(f"{path} is corrupt: {explain(error, '', BaseModel)}") from error
        except (ValueError, RecursionError) as error:
            raise RunError(f"{path} is corrupt: {error}.") from error
        return values


def _shape(metadata: Mapping[str, str]) -> Shape:
    value_range = json.loads(metadata["value_range"])
    return Shape(tuple(json.loads(metadata["data_shape"])), tuple(value_range) if value_range else None)


def load(path: str | Path) -> Autoencoder:
    """Returns the trained autoencoder of a run, in eval mode, on the CPU.

    Args:
        path: The run's folder, or its address on the Hugging Face Hub, `hf://user/name` or `hf://user/name@revision`.

    Raises:
        RunError: If the folder holds no finished run, a file is corrupt, a plugin is missing, or the Hub cannot be reached.
    """
    return Run(pull(path) if isinstance(path, str) and path.startswith(PREFIX) else path).model
