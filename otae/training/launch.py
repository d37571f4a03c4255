"""Starting the other processes of a training on this machine, and ending them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import cloudpickle

from ..errors import ProcessError
from ..interfaces import InMemory
from ..registry import registries
from .placement import Placement

_START = "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline()); from otae.training.worker import work; work()"
_GRACE = 5.0
_TOLD = 2000


@dataclass(frozen=True)
class Order:
    """Holds what a process that is started needs to know.

    Args:
        path: The run's folder.
        memory: The run's data in memory, or `None`.
        plugins: The classes that the session has registered, by kind and name.
        placement: The process's place.
    """

    path: Path
    memory: InMemory | None
    plugins: dict[str, dict[str, type]]
    placement: Placement


@dataclass(frozen=True)
class Child:
    """Holds a process that was started.

    Args:
        rank: Its number.
        process: The process.
        output: What it writes, should it fail without a word.
    """

    rank: int
    process: subprocess.Popen[bytes]
    output: IO[bytes]

    def require_alive(self) -> None:
        """Checks that the process has not failed.

        Raises:
            ProcessError: If it has.
        """
        status = self.process.poll()
        if status:
            how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
            self.output.seek(0)
            told = self.output.read().decode(errors="replace").strip()[-_TOLD:]
            lines = f":\n{told}" if told and status > 0 else ". Was there too little memory?"
            raise ProcessError(f"Process {self.rank} of the training {how}{lines}")

    def end(self) -> None:
        """Ends the process, if it does not end by itself."""
        try:
            self.process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()


def launch(path: Path, memory: InMemory | None, placement: Placement) -> list[Child]:
    """Returns the other processes of this machine, started.

    Signals of the terminal reach the first process alone, which has all of them stop at one step.

    Args:
        path: The run's folder.
        memory: The run's data in memory, or `None`.
        placement: The place of the first process of this machine, where the others find the first of all.
    """
    plugins = {kind: dict(registry.session) for kind, registry in registries().items()}
    children = []
    for local in range(1, placement.local_world):
        place = replace(placement, rank=placement.rank + local, local_rank=local, launches=False, started=True)
        order = Order(path.absolute(), memory, plugins, place)
        children.append(Child(place.rank, *_start(order)))
    return children


def _start(order: Order) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    output: Any = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process has ended
    process = subprocess.Popen(
        [sys.executable, "-c", _START],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdin is not None
    with process.stdin as pipe:
        pipe.write(json.dumps(sys.path).encode() + b"\n")
        cloudpickle.dump(order, pipe)
    return process, output
