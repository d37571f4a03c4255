"""What happens around the training steps: random states, interruption, progress."""

from __future__ import annotations

from .interruption import Interruption
from .progress import Progress
from .randomness import RandomState
from .saving import Saving
from .stopping import Stopping
from .warmup import Warmup

__all__ = ["Interruption", "Progress", "RandomState", "Saving", "Stopping", "Warmup"]
