"""Checkpoints: each a whole with its checksum, the one before kept, and nothing in them trusted but checked numbers."""

from __future__ import annotations

import copy
import errno
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
import torch
from lightning.pytorch import Trainer
from marks import rest_slow
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from test_training import Make, assert_same, at_step, fail, make, trained

from otae import Run
from otae.build import Shape, build
from otae.comparison import find_changes
from otae.errors import RunError
from otae.training import Interrupted, fit
from otae.training.checkpoint_file import read, write
from otae.training.checkpoints import Checkpoints
from otae.training.history import read as read_history
from otae.training.module import Engine
from otae.training.restoring import prepare

__all__ = ["make"]

SCHEDULER = "training.scheduler={name: exponential, gamma: 0.5}"


def stop_at(run: Run, monkeypatch: pytest.MonkeyPatch, step: int) -> Run:
    """Returns the run, stopped by a signal after a step."""
    with monkeypatch.context() as patch:
        at_step(patch, step, lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(Interrupted):
            fit(run)
    return run


def last(run: Run) -> Path:
    return run.path / "checkpoints" / "last.ckpt"


def forge(run: Run, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes what the last checkpoint of a run holds, its checksum included, and takes the one before away."""
    content = read(last(run))
    change(content)
    write(last(run), content)
    (run.path / "checkpoints" / "previous.ckpt").unlink(missing_ok=True)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yields the path of everything in a checkpoint that is no tensor; of lists, of their first entry alone."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def put(content: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        content = content[key]
    content[path[-1]] = value


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """Returns a folder that nobody may touch."""
    folder = tmp_path / "victim" / "sub"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("precious")
    return tmp_path / "victim"


@pytest.mark.slow
def test_a_path_wherever_it_stands_in_a_checkpoint_is_refused_or_never_looked_at(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stop_at(make("training.early_stopping.patience=9", SCHEDULER), monkeypatch, 7)
    sound, experiment, checkpoints = read(last(run)), run.experiment, Checkpoints(run.path)
    engine = Engine(build(experiment, Shape((6,))), experiment.training, seed=0)
    trainer = Trainer(logger=False, enable_checkpointing=False)
    (run.path / "checkpoints" / "previous.ckpt").unlink()

    def ignores(path: tuple[Any, ...]) -> bool:
        """Returns whether what stands at a place is never looked at, or says that it is refused."""
        content = copy.deepcopy(sound)
        put(content, path, "/home/victim")
        write(last(run), content)
        try:
            checkpoint = checkpoints.read()
            assert checkpoint
            prepare(checkpoint, engine, trainer, find_changes(checkpoint.position.configuration, experiment))
        except RunError as error:
            return not re.search("corrupt|cannot be continued", str(error))
        return "/home/victim" in str(checkpoints.load_checkpoint("anywhere").values())

    kept = {path for path in places(sound) if path[0] != "random" and ignores(path)}
    assert kept == {("otae", "data", "sha256")}  # which is compared


@pytest.mark.parametrize("form", rest_slow(["{}", "../victim", "local://{}", "checkpoints/../../victim"], 2))
def test_resuming_neither_follows_nor_removes_a_path_in_a_checkpoint(
    make: Make, monkeypatch: pytest.MonkeyPatch, victim: Path, form: str
) -> None:
    unbroken, run = trained(make("training.early_stopping.patience=9")), make("training.early_stopping.patience=9")
    path = form.format(victim)
    state = {"best_model_path": path, "last_model_path": path, "dirpath": path, "kth_best_model_path": path,
             "best_k_models": {path: torch.tensor(9.0)}, "monitor": "validation/total"}  # fmt: skip
    stop_at(run, monkeypatch, 7)
    forge(run, lambda content: content.update(callbacks={"ModelCheckpoint{'monitor': None}": state}))
    assert_same(unbroken, trained(run))
    assert (victim / "sub" / "thesis.txt").read_text() == "precious"


@pytest.mark.slow
def test_random_states_that_are_none_are_corrupt(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in (("torch", "x"), ("numpy", "x"), ("python", (3, (1,), None)), ("cuda", 5)):
        run = stop_at(make(), monkeypatch, 2)
        forge(run, lambda content, key=key, value=value: content["random"].update({key: value}))
        if key == "cuda" and not torch.cuda.is_available():
            continue
        with pytest.raises(RunError, match="random states cannot be restored"):
            fit(run)


@pytest.mark.parametrize("part", rest_slow([0.5, 0.001, 0.999]))
def test_a_flipped_bit_is_found_and_the_checkpoint_before_continues_to_the_same_weights(
    make: Make, monkeypatch: pytest.MonkeyPatch, part: float
) -> None:
    unbroken, run = trained(make()), stop_at(make(), monkeypatch, 7)
    content = bytearray(last(run).read_bytes())
    content[int(part * len(content))] ^= 64
    last(run).write_bytes(content)
    with pytest.warns(UserWarning, match=r"last\.ckpt is corrupt.*The checkpoint before it is taken"):
        fit(run)
    assert_same(unbroken, run)
    assert (run.path / "metrics.csv").read_text() == (unbroken.path / "metrics.csv").read_text()


@pytest.mark.parametrize("content", rest_slow([b"PK nonsense", b""]))
def test_without_a_sound_checkpoint_the_cure_is_told_and_works(
    make: Make, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    unbroken, run = trained(make()), stop_at(make(), monkeypatch, 5)
    for path in (run.path / "checkpoints").iterdir():
        path.write_bytes(content)
    with pytest.raises(RunError, match=r"last\.ckpt is corrupt.*Remove .*checkpoints to start from the beginning"):
        fit(run)
    shutil.rmtree(run.path / "checkpoints")
    assert_same(unbroken, trained(run))
    assert (run.path / "metrics.csv").read_text() == (unbroken.path / "metrics.csv").read_text()


def test_a_checkpoint_that_fails_halfway_leaves_the_last_one_whole(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    unbroken, run = trained(make()), make()
    original = torch.save

    def failing(content: dict[str, Any], file: IO[bytes]) -> None:
        original(content, file)
        if content["otae"]["step"] == 6:
            file.truncate(100)
            raise OSError(errno.ENOSPC, "No space left on device", "last.ckpt")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", failing)
        with pytest.raises(OSError, match="No space"):
            fit(run)
    assert [path.name for path in (run.path / "checkpoints").iterdir()] == ["last.ckpt"]
    assert read(last(run))["otae"]["step"] == 3
    assert_same(unbroken, trained(run))


def test_no_draft_is_written_outside_the_runs_folder(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/nowhere")
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    trained(make())


@pytest.mark.parametrize("step", rest_slow([4, 2]))
def test_rows_of_a_run_killed_at_any_step_are_neither_doubled_nor_lost(
    make: Make, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The rows are written at once, as those of a long epoch are, and the process dies before the next checkpoint."""
    monkeypatch.setattr("otae.training.history.BUFFER", 1)
    unbroken, run = trained(make()), make()
    with monkeypatch.context() as patch:
        at_step(patch, step, fail)
        with pytest.raises(OSError, match="power"):
            fit(run)
    trained(run)
    assert (run.path / "metrics.csv").read_text() == (unbroken.path / "metrics.csv").read_text()
    assert events(run) == events(unbroken)


def events(run: Run) -> list[tuple[str, int]]:
    """Returns the tag and step of each event of a run, sorted, as TensorBoard's own reader finds them."""
    loaders = [EventFileLoader(str(path)) for path in sorted((run.path / "tensorboard").glob("events*"))]
    return sorted(
        (value.tag, event.step) for loader in loaders for event in loader.Load() for value in event.summary.value
    )


def test_lost_rows_are_told(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stop_at(make(), monkeypatch, 7)
    (run.path / "metrics.csv").write_text("step,split\n")
    with pytest.raises(RunError, match=r"metrics\.csv is corrupt: the checkpoint counts 10 rows, and there are 0"):
        fit(run)


@pytest.mark.parametrize(("patience", "step"), rest_slow([(1, None), (2, 10), (2, None), (1, 7)], 2))
def test_early_stopping_resumes_exactly_also_after_it_stopped(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, patience: int, step: int | None
) -> None:
    """A run that early stopping ended does not train on, and a moved folder keeps its best epoch."""
    overrides = (f"training.early_stopping={{monitor: spread, patience: {patience}}}", "training.epochs=12",
                 "training.optimizer.lr=0.05")  # fmt: skip
    unbroken, run = trained(make(*overrides)), make(*overrides)
    if step is None:
        trained(run)
        for name in ("model.safetensors", "objective.safetensors"):
            (run.path / name).unlink()
    else:
        stop_at(run, monkeypatch, step)
    moved = Run(run.path.rename(tmp_path / "moved"))
    assert_same(unbroken, trained(moved))
    assert (moved.path / "metrics.csv").read_text() == (unbroken.path / "metrics.csv").read_text()
    assert read(last(moved))["otae"]["judgement"] == read(last(unbroken))["otae"]["judgement"]
    assert len(read_history(unbroken.path / "metrics.csv")["validation"]["step"]) < 12
