"""Opening a dataset of Hugging Face: from a folder, from the cache, or, where allowed, from the Hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otae.errors import ConfigError, DataError, unknown_name

from .extras import needed
from .paths import places

_SAVED = ("state.json", "dataset_dict.json")


@dataclass(frozen=True)
class Request:
    """Creates what is asked of the package `datasets`.

    Args:
        path: The folder, or the name on the Hub.
        config: The configuration.
        split: The split.
        revision: The commit, branch or tag.
        streaming: Whether to read no more than the first samples.
        limit: The number of samples to use, or `None` for all.
        download: Whether the network may be used.
    """

    path: str | Path
    config: str | None
    split: str | None
    revision: str | None
    streaming: bool
    limit: int | None
    download: bool


ALL = "all"
"""The name that stands for all splits, one after the other."""

_PARTS = (("train", 0), ("val", 1), ("dev", 1), ("test", 2))


def open_rows(request: Request) -> tuple[Any, list[int] | None]:
    """Returns the rows, a `datasets.Dataset` with at least one, and of all splits together which part each row is of: 0 for
    training, 1 for validation, 2 for the test; `None` where one split was asked for, or the name of one tells no part.

    Args:
        request: What is asked for.

    Raises:
        ConfigError: If the package is missing, or a folder is given with a revision.
        DataError: If there is no such dataset, configuration, split or revision, or it has no row.
    """
    package = needed("datasets", "hf")
    folder = _folder(request.path)
    if folder is not None and request.revision is not None:
        raise ConfigError(f"'{folder}' is a folder, which has no revision. Leave the option revision out.")
    saved = folder is not None and any((folder / name).is_file() for name in _SAVED)
    loaded = _saved(package, folder, request) if saved else _loaded(package, folder, request)
    whole = request.split == ALL and isinstance(loaded, dict) and ALL not in loaded
    rows = _limited(package, _join(package, loaded, request) if whole else _split(loaded, request), request)
    if len(rows) == 0:
        raise DataError(f"'{request.path}' holds no row. Choose another split, or write one with rows.")
    return rows, _find_parts(loaded, len(rows)) if whole else None


def _join(package: Any, loaded: Any, request: Request) -> Any:
    if request.streaming:
        raise ConfigError(
            "split: all reads whole splits, which a stream has not. Leave streaming out, or name one split."
        )
    with _told(package, request):
        return package.concatenate_datasets(list(loaded.values()))


def _find_parts(loaded: Any, count: int) -> list[int] | None:
    """Returns the part of the first rows of all splits, by the splits' names."""
    parts: list[int] = []
    for name, rows in loaded.items():
        part = next((number for start, number in _PARTS if name.lower().startswith(start)), None)
        if part is None:
            return None
        parts += [part] * len(rows)
    return parts[:count]


def _folder(path: str | Path) -> Path | None:
    return next((place for place in places(path) if place.is_dir()), None)


def _saved(package: Any, folder: Path | None, request: Request) -> Any:
    if request.config is not None:
        raise ConfigError(f"'{folder}' was saved without configurations. Leave the option config out.")
    with _told(package, request):
        loaded = package.load_from_disk(str(folder))
    if request.split is not None and not isinstance(loaded, dict):
        raise DataError(f"'{folder}' holds one dataset without splits. Leave the option split out.")
    return loaded


def _loaded(package: Any, folder: Path | None, request: Request) -> Any:
    # What is in the cache is mapped into memory: there is nothing to stream.
    streaming = request.streaming and (folder is not None or request.download)
    with _told(package, request), _offline(package, not request.download):
        loaded = package.load_dataset(
            str(folder or request.path),
            request.config,
            split=_sliced(request),
            revision=request.revision,
            streaming=streaming,
        )
    if folder is None and request.revision is not None and not request.download:
        _check_revision(_split(loaded, request), request)
    return loaded


def _sliced(request: Request) -> str | None:
    """Returns a split such as `train[:10%]`, which the package cuts; plain names are chosen from what there is."""
    plain = request.split is None or request.split.isidentifier()
    return None if plain else request.split


def _split(loaded: Any, request: Request) -> Any:
    if not isinstance(loaded, dict):
        return loaded
    name = request.split or (next(iter(loaded)) if len(loaded) == 1 else "train")
    if name not in loaded:
        raise DataError(f"'{request.path}': {unknown_name('split', name, loaded)} Set the option split.")
    return loaded[name]


def _limited(package: Any, rows: Any, request: Request) -> Any:
    if isinstance(rows, package.IterableDataset):
        raw = rows.decode(False)  # pictures stay files, which are decoded when they are asked for
        with _told(package, request), _offline(package, not request.download):
            kept = list(raw.take(request.limit))
            return package.Dataset.from_list(kept, features=raw.features) if kept else kept
    return rows if request.limit is None else rows.select(range(min(request.limit, len(rows))))


def _check_revision(rows: Any, request: Request) -> None:
    held = {Path(file["filename"]).parent.name for file in rows.cache_files}
    if held != {request.revision}:
        found = ", ".join(sorted(held))
        raise DataError(
            f"The cache holds revision {found} of '{request.path}', not {request.revision!r}. "
            f"Give that whole commit, or fetch the other: {_command(request)}"
        )


@contextmanager
def _told(package: Any, request: Request) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, IndexError, RuntimeError, package.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        fault = f"The dataset '{request.path}' cannot be opened: {reason}."
        known = _folder(request.path) is not None or request.download
        cure = (
            "Check its files and the options config, split and revision"
            if known
            else f"There is no such folder, and training downloads nothing. Fetch it once: {_command(request)}"
        )
        raise DataError(f"{fault} {cure}.") from error


def _command(request: Request) -> str:
    named = "" if request.config is None else f", {request.config!r}"
    at = "" if request.revision is None else f", revision={request.revision!r}"
    return (
        f'python -c "import datasets; datasets.load_dataset({str(request.path)!r}{named}{at})", or set download: true'
    )


@contextmanager
def _offline(package: Any, wanted: bool) -> Iterator[None]:
    """Keeps the package from the network for a while; it reads the environment only when it is imported."""
    settings = (package.config, needed("huggingface_hub.constants", "hf"))
    before = [each.HF_HUB_OFFLINE for each in settings]
    for each in settings:
        each.HF_HUB_OFFLINE = each.HF_HUB_OFFLINE or wanted
    try:
        yield
    finally:
        for each, value in zip(settings, before, strict=True):
            each.HF_HUB_OFFLINE = value
