"""A study that was run: its points, what is known of each, and its comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import RunError
from .comparison import Comparison, build_comparison
from .declaration import Source
from .entries import Entry, Variant, read_entry
from .folder import Record, StudyFolder
from .points import Point


@dataclass(frozen=True)
class Study:
    """Holds a study that was run.

    Args:
        source: Its declaration.
        path: Its folder.
        points: Its points.
        records: What is known of each point, by hash; of one that was not trained yet, nothing.
    """

    source: Source
    path: Path
    points: Sequence[Point]
    records: Mapping[str, Record]

    @property
    def title(self) -> str:
        """Returns what the study is called."""
        return self.source.title

    @property
    def failed(self) -> list[Point]:
        """Returns the points that failed."""
        return [point for point in self.points if self._state(point) == "failed"]

    @property
    def done(self) -> list[Point]:
        """Returns the points that are done."""
        return [point for point in self.points if self._state(point) == "done"]

    def run(self, point: Point) -> Path:
        """Returns the folder of a point's run.

        Args:
            point: The point.
        """
        return StudyFolder(self.path).run(point)

    def compare(self) -> Comparison:
        """Returns the variants side by side, of the points that are done.

        Raises:
            RunError: If no point is done.
            ConfigError: If no run has a figure that the declaration asks for.
        """
        if not self.done:
            reasons = "; ".join(dict.fromkeys(self.records[point.hash].error for point in self.failed))
            raise RunError(f"No point of the study {self.path} is done{': ' if reasons else '.'}{reasons}")
        entries: dict[str, list[Entry]] = {}
        settings: dict[str, Mapping[str, str]] = {}
        for point in self.done:
            read = read_entry(self.run(point))
            entry = Entry(read.path, point.variant, point.experiment.to_dict(), read.evaluation)
            entries.setdefault(point.variant, []).append(entry)
            settings[point.variant] = point.settings
        variants = [Variant(title, tuple(each), _varied(settings, title)) for title, each in entries.items()]
        return build_comparison(variants, self.source.declaration.metrics, self.source.declaration.split)

    def _state(self, point: Point) -> str:
        record = self.records.get(point.hash)
        return record.state if record else ""


def _varied(settings: Mapping[str, Mapping[str, str]], title: str) -> dict[str, str]:
    """Returns those settings of a variant that are not its whole title already."""
    return {name: value for name, value in settings[title].items() if value != title}
