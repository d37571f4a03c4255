"""The engine: Lightning drives, the objective decides."""

from __future__ import annotations

from ..splits import Splits, split
from .autoencoder_module import AutoencoderModule
from .continuation import accept_data, go_on
from .fit import fit
from .interrupted import Interrupted
from .placement import is_first
from .processes import Processes
from .randomness import seeded
from .readiness import check_accelerator
from .start import start_from

__all__ = [
    "AutoencoderModule",
    "Interrupted",
    "Processes",
    "Splits",
    "accept_data",
    "check_accelerator",
    "fit",
    "go_on",
    "is_first",
    "seeded",
    "split",
    "start_from",
]
