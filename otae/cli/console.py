"""Where the command line writes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console


def results() -> Console:
    """Returns the console of results."""
    return Console()


def errors() -> Console:
    """Returns the console of errors and progress."""
    return Console(stderr=True)


def print_json(values: Any) -> None:
    """Prints values as JSON, for programs.

    Args:
        values: Plain lists, dicts, numbers and text.
    """
    print(json.dumps(values, indent=2))
