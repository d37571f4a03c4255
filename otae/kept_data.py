"""What a run keeps of its data: what identifies them, their form, and the way from raw data to samples."""

from __future__ import annotations

import json
from inspect import Parameter
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from .config import Experiment
from .errors import DataError, RunError
from .explanation import explain
from .files import write_json
from .fingerprint import Fingerprint, compute_fingerprint
from .folder import DATA
from .interfaces import Dataset, InMemory, Preparation
from .registry import datasets
from .signature import parameters
from .splits import Splits, draw_splits

_SEEN = 256  # samples whose values are looked at


class Keeper(Protocol):
    """The side of a run that its data are kept by."""

    path: Path

    @property
    def experiment(self) -> Experiment:
        """Returns the experiment."""


class KeptData(BaseModel):
    """Holds what a run keeps of its data.

    Attributes:
        fingerprint: What identifies them.
        value_range: The smallest and largest value a sample may hold, or `None`.
        seen_range: The smallest and largest value of some samples, of data whose range is not declared.
        class_names: The names of the classes, or `None`.
        preparation: The constants of the way from raw data to samples, or `None`.
        sizes: The number of samples of each split.
        splits: The split of each sample, packed: that which the run was trained with, whatever became of the files that told it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fingerprint: Fingerprint
    value_range: tuple[float, float] | None = None
    seen_range: tuple[float, float] | None = None
    class_names: tuple[str, ...] | None = None
    preparation: dict[str, Any] | None = None
    sizes: dict[str, int] | None = None
    splits: str | None = None


def keep_data(run: Keeper, dataset: Dataset, fingerprint: Fingerprint, splits: Splits, *, anew: bool = False) -> None:
    """Writes what a run keeps of its data, once.

    Args:
        run: The run.
        dataset: Its data.
        fingerprint: What identifies them.
        splits: Their splits.
        anew: Whether they take the place of others.
    """
    if anew or not (run.path / DATA).exists():
        preparation = None if dataset.preparation is None else dataset.preparation.to_dict()
        kept = KeptData(
            fingerprint=fingerprint,
            value_range=dataset.value_range,
            seen_range=None if dataset.value_range else _find_range(dataset),
            class_names=dataset.class_names,
            preparation=preparation,
            sizes=splits.sizes,
            splits=splits.pack(),
        )
        write_json(run.path / DATA, kept.model_dump(mode="json"))


def _find_range(dataset: Dataset) -> tuple[float, float] | None:
    chosen = np.unique(np.linspace(0, len(dataset) - 1, _SEEN).round().astype(np.int64))
    low, high = (float(each) for each in dataset.__getitems__(chosen.tolist()).aminmax())
    return (low, high) if np.isfinite([low, high]).all() and low < high else None


def read_kept_data(run: Keeper) -> KeptData | None:
    """Returns what a run keeps of its data, or `None` where it has never been trained.

    Args:
        run: The run.

    Raises:
        RunError: If the file is corrupt.
    """
    path = run.path / DATA
    try:
        return KeptData.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise RunError(f"{path} is corrupt: {explain(error, '', KeptData)}") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}.") from error


def find_splits(run: Keeper, dataset: Dataset) -> Splits:
    """Returns the splits of a run's data: those that it was trained with, or else drawn by its configuration.

    Args:
        run: The run.
        dataset: The data, opened now; where their number has changed, the splits are drawn anew.

    Raises:
        DataError: If a split would be empty, or a file that tells one does not fit.
        RunError: If what the run keeps is corrupt.
    """
    kept = read_kept_data(run)
    if kept is None or kept.splits is None or kept.fingerprint.samples != len(dataset):
        return draw_splits(dataset, run.experiment.data, run.experiment.seed)
    try:
        return Splits.unpack(kept.splits, len(dataset))
    except ValueError as error:
        raise RunError(f"{run.path / DATA} is corrupt: {error}. Restore it from a copy.") from error


def require_data_in_memory(run: Keeper, experiment: Experiment, memory: InMemory | None) -> None:
    """Checks that data which were handed over in memory are there again, where the dataset of a run needs them.

    Args:
        run: The run.
        experiment: Its experiment.
        memory: The data in memory, or `None`.

    Raises:
        RunError: If they are not; the message says what they were.
    """
    needed = parameters(datasets.get(experiment.data.name)).get("memory")
    if memory is not None or needed is None or needed.default is not Parameter.empty:
        return
    kept = read_kept_data(run)
    told = (
        "" if kept is None else f" They were {kept.fingerprint.samples} samples of shape {kept.fingerprint.data_shape}"
    )
    names = [] if kept is None else [each.get("name") for each in (kept.preparation or {}).get("columns", [])]
    columns = f", of a table with the columns {', '.join(map(str, names))}" if names else ""
    raise RunError(
        f"The run {run.path} was trained on data in memory, which no file holds.{told}{columns}{'.' if told else ''} Hand them "
        f"over again: otae.Run({str(run.path)!r}, data=…), with labels and factors where it had some. Encoding, reconstructing "
        "and sampling need none: give new data as a file."
    )


def require_same_data(run: Keeper, dataset: Dataset) -> None:
    """Checks that data are those that a run was trained on.

    Args:
        run: The run.
        dataset: The data, opened now.

    Raises:
        RunError: If they are others; the message says what changed.
    """
    kept = read_kept_data(run)
    if kept is None or (now := compute_fingerprint(dataset)) == kept.fingerprint:
        return
    constants = None if dataset.preparation is None else dataset.preparation.to_dict()
    changes = "; ".join([*_compare(kept.fingerprint, now), *_describe(kept.preparation, constants)])
    raise RunError(
        f"The data of {run.path} are not those that it was trained on: {changes}. Its splits and its scaling would be others. "
        "Put the data back, or give the new ones as a file, which is scaled as those of the training were; --anyway takes "
        "them as they are."
    )


def find_preparation(run: Keeper) -> Preparation | None:
    """Returns the way from raw data to samples that a run keeps, or `None` where its dataset has none.

    Args:
        run: The run.

    Raises:
        RunError: If what it keeps is corrupt.
    """
    kept, plugin = read_kept_data(run), datasets.get(run.experiment.data.name)
    if kept is None or kept.preparation is None or plugin.preparations is None:
        return None
    try:
        preparation: Preparation = plugin.preparations.from_dict(kept.preparation)
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{run.path / DATA} is corrupt: the preparation lacks or spoils {error}.") from error
    return preparation


def read_samples(run: Keeper, path: Path) -> Tensor:
    """Returns the samples of a file or folder, with the constants of a run's training data.

    A `.npy` file of floating-point numbers of the samples' shape is taken as it is: scaled as in training.

    Args:
        run: The run.
        path: The file or folder.

    Raises:
        DataError: If it cannot be read, or does not hold what the training data held.
    """
    scaled = _read_array(path) if path.suffix == ".npy" and path.is_file() else None
    if scaled is not None and np.issubdtype(scaled.dtype, np.floating):
        return torch.from_numpy(scaled.astype(scaled.dtype.newbyteorder("=")))
    preparation = find_preparation(run)
    if preparation is not None and (path.exists() or scaled is not None):
        return preparation.read(path)
    kind = path if scaled is None else f"{scaled.dtype} of {path}"
    return _refuse(path, kind)


def _read_array(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            values = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"Cannot read {path} as a .npy file: {error}.") from error
    return values


def _refuse(path: Path, kind: Any) -> Tensor:
    if not path.exists():
        raise DataError(f"Cannot read {path}: there is no such file or folder.")
    raise DataError(
        f"Cannot read {kind}: the dataset of this run keeps no way from raw data to samples. Give a .npy file of one array of "
        "floating-point numbers, scaled as in training."
    )


def _compare(former: Fingerprint, now: Fingerprint) -> list[str]:
    changes = []
    if former.samples != now.samples:
        changes.append(f"{former.samples} samples became {now.samples}")
    if former.data_shape != now.data_shape:
        changes.append(f"samples of shape {former.data_shape} became {now.data_shape}")
    return changes or ["other values in as many samples"]


def _describe(former: Any, now: Any) -> list[str]:
    """Returns which constants of the preparation differ, the first few of them."""
    if not isinstance(former, dict) or not isinstance(now, dict):
        return []
    columns = [[each.get("name") for each in told.get("columns", [])] for told in (former, now)]
    if columns[0] != columns[1]:
        return [f"the columns {', '.join(columns[0])} became {', '.join(columns[1])}"]
    pairs = zip(former.get("columns", []), now.get("columns", []), strict=True)
    changed = [old["name"] for old, new in pairs if old != new]
    return [f"the values of {', '.join(changed[:5])} have another range or other categories"] if changed else []
