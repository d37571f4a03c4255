"""All findings about this machine."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

from .devices import devices
from .finding import Finding
from .folders import folders
from .keops import keops
from .libraries import libraries
from .plugins import plugins


def diagnose() -> list[Finding]:
    """Returns what there is on this machine and what is wrong; nothing is compiled, written or printed.

    Examples:
        >>> diagnose()[1].name
        'otae'
    """
    with redirect_stdout(io.StringIO()):  # libraries print as they are imported
        return [finding for survey in (libraries, devices, keops, folders, plugins) for finding in survey()]
