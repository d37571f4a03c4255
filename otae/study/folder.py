"""The folder of a study: what is known of each point, and who is at work in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..errors import RunError
from ..files import read_json, write_json
from .points import HASH, Point
from .task import Outcome


@dataclass(frozen=True)
class Record:
    """Holds what is known of a point that was trained, or failed.

    Args:
        state: `done` or `failed`.
        seconds: The time it took.
        memory: The peak of memory, in bytes.
        gpu_memory: The peak of memory on the GPU, in bytes, or `None`.
        machine: The machine's name.
        error: What went wrong, or nothing.
        evaluation: What identifies how it was judged.
        traceback: Where it went wrong, or nothing.
        warnings: What was warned of.
    """

    state: str
    seconds: float
    memory: int
    gpu_memory: int | None
    machine: str
    error: str
    evaluation: str
    traceback: str = ""
    warnings: tuple[str, ...] = ()


class StudyFolder:
    """Creates a view of a study's folder.

    Args:
        path: The folder; it is made when something is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.points, self.runs, self.stop = path / "points", path / "runs", path / ".stop"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder, so that no second process trains the same points.

        Raises:
            RunError: If another process holds it, or the folder cannot be made.
        """
        try:
            self.points.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"Cannot make the study's folder {self.path}: {error.strerror}. Choose another --output."
            ) from error
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise RunError(
                f"Another process is at work on the study {self.path}. Wait for it, or choose another --output."
            ) from error
        self.stop.unlink(missing_ok=True)
        try:
            yield
        finally:
            lock.release()

    def run(self, point: Point) -> Path:
        """Returns the folder of a point's run: the one that bears its hash, also under another title.

        Args:
            point: The point.
        """
        found = sorted(self.runs.glob(f"*-{point.hash[:HASH]}"))
        return found[0] if found else self.runs / point.folder

    def marker(self, point: Point) -> Path:
        """Returns the file that is there while a point is worked on.

        Args:
            point: The point.
        """
        return self.points / f"{point.hash}.running"

    def markers(self) -> list[Path]:
        """Returns the markers of all points that are worked on."""
        return sorted(self.points.glob("*.running"))

    def record(self, point: Point) -> Record | None:
        """Returns what is known of a point, or `None` where it is still to be trained.

        Args:
            point: The point.

        Raises:
            RunError: If its file is corrupt.
        """
        path = self._path(point)
        if not path.is_file():
            return None
        try:
            values = read_json(path)
            known = Record(**{name: values[name] for name in Record.__dataclass_fields__})
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} is corrupt ({error}). Remove it: the point is then looked at anew.") from error
        lost = known.state == "done" and not (self.run(point) / "evaluation.json").is_file()
        return None if lost else known

    def keep(self, point: Point, outcome: Outcome) -> Record:
        """Returns what came of a point, written to the folder.

        Args:
            point: The point.
            outcome: What came of it.
        """
        values: dict[str, Any] = {name: value for name, value in asdict(outcome).items() if name != "hash"}
        known = Record(**values, evaluation=point.evaluation)
        told = {
            "title": point.variant,
            "settings": dict(point.settings),
            "seed": point.seed,
            "run": self.run(point).name,
        }
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(self._path(point), {**told, **asdict(known), "ended": ended})
        return known

    def _path(self, point: Point) -> Path:
        return self.points / f"{point.hash}.json"
