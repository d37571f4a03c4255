"""What happens around the training steps: random states, interruption, progress."""

from __future__ import annotations

from .interruption import Interrupted, Interruption
from .progress import Progress
from .randomness import RandomState

__all__ = ["Interrupted", "Interruption", "Progress", "RandomState"]
