"""The engine: Lightning drives, the objective decides."""

from __future__ import annotations

from ..splits import Splits, split
from .autoencoder_module import AutoencoderModule
from .callbacks import Interrupted
from .continuation import go_on
from .fit import fit
from .randomness import seeded
from .readiness import check_accelerator
from .start import start_from

__all__ = [
    "AutoencoderModule",
    "Interrupted",
    "Splits",
    "check_accelerator",
    "fit",
    "go_on",
    "seeded",
    "split",
    "start_from",
]
