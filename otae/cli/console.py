"""Where the command line writes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from ..errors import printable


class PlainConsole(Console):
    """A console on which text is only text: what a file or a plugin says cannot steer the terminal."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yields the segments of something, control characters in its text made visible."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def results() -> Console:
    """Returns the console of results."""
    return PlainConsole()


def errors() -> Console:
    """Returns the console of errors and progress."""
    return PlainConsole(stderr=True)


def print_json(values: Any) -> None:
    """Prints values as JSON, for programs.

    Args:
        values: Plain lists, dicts, numbers and text.
    """
    print(json.dumps(values, indent=2))
