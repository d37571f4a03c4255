"""The environment's faults are told as such, with the cure: no traceback, no defect of otae, nothing truncated."""

from __future__ import annotations

import errno
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from fakes import EXPERIMENT
from test_training import Make, make, trained
from typer.testing import CliRunner

import otae
from otae import load_config
from otae.cli.app import app
from otae.cli.arrays import check_output
from otae.cli.environment import describe_fault
from otae.errors import ConfigError, RunError
from otae.report import write_report
from otae.training.checkpoints import Checkpoints

__all__ = ["make"]


@pytest.mark.parametrize(("number", "message"), [
    (errno.ENOSPC, r"^/data/x: the disk is full\. Free some space, and start again; a run that had begun goes on with"),
    (errno.EDQUOT, "quota is used up"), (errno.EROFS, "read-only. Choose another folder"), (errno.EACCES, "permission is denied"),
    (errno.EPERM, "not permitted"), (errno.EIO, "Look after the disk"), (errno.EMFILE, "ulimit -n"), (errno.ENFILE, "Close some"),
    (errno.ENOMEM, "no memory left"), (errno.EAGAIN, "Lower data.workers"), (errno.EFBIG, "too large for this file system"),
    (errno.ENAMETOOLONG, "Choose a shorter one"), (errno.ESTALE, "Mount it again"), (errno.ENOENT, "look at TMPDIR"),
    (errno.ENOTDIR, "no folder"), (errno.EEXIST, "there already"), (errno.EISDIR, "is a folder"), (errno.ELOOP, "in a circle"),
])  # fmt: skip
def test_a_fault_of_the_system_has_its_cure(number: int, message: str) -> None:
    with pytest.raises(OSError, match="x") as caught:
        raise OSError(number, "x", "/data/x")
    told = describe_fault(caught.value)
    assert told is not None
    assert re.search(message, told)


@pytest.mark.parametrize("error", [
    MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that shared memory is insufficient"),
    RuntimeError("DataLoader worker (pid(s) 7) exited unexpectedly"), RuntimeError("unable to open shared memory object"),
])  # fmt: skip
def test_want_of_memory_is_told_as_such(error: Exception) -> None:
    assert "memory" in (describe_fault(error) or "")


@pytest.mark.parametrize("error", [OSError("no number"), ValueError("x"), KeyError("x"), OSError(errno.EBADF, "x")])
def test_a_fault_of_the_program_is_not_the_environments(error: Exception) -> None:
    assert describe_fault(error) is None


@pytest.fixture
def small_files() -> Iterator[None]:
    """Lets no file grow beyond 4 kB, as a full disk would not."""
    former, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, former[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, former)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_fills_costs_no_checkpoint(make: Make, request: pytest.FixtureRequest) -> None:
    run = trained(make())
    before = {path: path.read_bytes() for path in (run.path / "checkpoints").iterdir()}
    content = Checkpoints(run.path).read()
    assert content is not None
    request.getfixturevalue("small_files")
    with pytest.raises((OSError, RuntimeError)) as caught:
        Checkpoints(run.path).save_checkpoint({**content.content, "more": torch.zeros(100_000)}, "ignored")
    assert "too large" in (describe_fault(caught.value) or "") or "disk" in (describe_fault(caught.value) or "")
    assert {path: path.read_bytes() for path in (run.path / "checkpoints").iterdir()} == before


def test_the_command_line_tells_it_in_a_sentence_with_status_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/data/last.ckpt")

    monkeypatch.setattr("otae.training.checkpoint_file.write", fail)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(EXPERIMENT))
    result = CliRunner().invoke(app, ["train", str(tmp_path / "tiny.yaml"), "-q", "-o", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert "/data/last.ckpt: the disk is full. Free some space" in " ".join(result.output.split())
    assert "defect" not in result.output


def test_an_unreadable_folder_for_temporary_files_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    experiment = load_config(EXPERIMENT, ["training.epochs=1"])
    run = otae.train(experiment, tmp_path / "run", evaluation=False, report=False)
    assert (run.path / "model.safetensors").is_file()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="Cannot make the run's folder"):
        otae.train(load_config(EXPERIMENT), tmp_path / "run")


def test_an_output_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_output(tmp_path / "new" / "codes.npy", overwrite=False)
    monkeypatch.setattr("otae.files.os.access", lambda *_: False)  # root may write anywhere
    with pytest.raises(ConfigError, match=rf"codes\.npy cannot be written: {tmp_path} takes no file"):
        check_output(tmp_path / "new" / "codes.npy", overwrite=False)


@pytest.mark.skipif(not hasattr(signal, "SIGBUS"), reason="this system has no SIGBUS")
def test_a_file_that_is_cut_while_it_is_mapped_ends_the_command_with_a_sentence_and_status_2(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 100_000)
    code = (
        "import mmap, os; from otae.cli.bus_error import tell_bus_errors; tell_bus_errors(); file = open('x', 'r+b'); "
        "held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ); file.truncate(0); held[50_000]"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert re.match(r"Error: A file that is mapped into memory was cut.* Restore it; .*`otae resume`", ended.stderr)


def test_a_read_only_run_is_told_before_it_is_judged(run: otae.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr("otae.evaluation.assessment.Specimens", None)  # the work
    monkeypatch.setattr("otae.report.page.Specimens", None)
    for name, work in (("evaluation.json", otae.evaluate), ("report.html", write_report)):
        with pytest.raises(ConfigError, match=rf"{name} cannot be written: .* takes no file\. Change its permissions"):
            work(run)
