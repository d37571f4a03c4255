"""Where the command line writes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


@contextmanager
def tell_warnings() -> Iterator[None]:
    """Shows warnings as sentences, without the lines of source that raised them, for as long as the context lasts."""

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        if not issubclass(category, DeprecationWarning | FutureWarning | PendingDeprecationWarning):  # for developers
            text = str(message).replace("[", r"\[")
            errors().print(f"[bold yellow]Warning:[/] {text}", soft_wrap=True)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
