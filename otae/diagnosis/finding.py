"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["well", "lacking", "broken"]


@dataclass(frozen=True)
class Finding:
    """Creates a finding about this machine.

    Args:
        topic: What it belongs to, such as `libraries`.
        name: What was looked at.
        found: What was found, in words.
        state: `well`; `lacking` where something that nobody must have is not there; `broken` where something must be mended.
        cure: What to do where it is not well.
    """

    topic: str
    name: str
    found: str
    state: State = "well"
    cure: str = ""
