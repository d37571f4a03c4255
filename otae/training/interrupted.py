"""The sign that a signal asked a training to stop."""

from __future__ import annotations

import signal


class Interrupted(Exception):
    """Raised when training stopped between two steps because a signal asked for it.

    Args:
        number: The signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"training was interrupted by {signal.Signals(number).name}")
        self.number = number
