"""otae: a plugin toolkit for optimal-transport autoencoders."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .autoencoder import Autoencoder as Autoencoder
    from .cloud import Cloud as Cloud
    from .config import Experiment as Experiment
    from .errors import OtaeError as OtaeError
    from .evaluation import evaluate as evaluate
    from .interfaces import Cost as Cost
    from .interfaces import Dataset as Dataset
    from .interfaces import Decoder as Decoder
    from .interfaces import Encoder as Encoder
    from .interfaces import Ground as Ground
    from .interfaces import Kernel as Kernel
    from .interfaces import Metric as Metric
    from .interfaces import Prior as Prior
    from .loading import load_config as load_config
    from .objective import Objective as Objective
    from .registry import costs as costs
    from .registry import datasets as datasets
    from .registry import decoders as decoders
    from .registry import encoders as encoders
    from .registry import grounds as grounds
    from .registry import kernels as kernels
    from .registry import metrics as metrics
    from .registry import priors as priors
    from .run import Run as Run
    from .run import load as load
    from .study import compare as compare
    from .study import run_study as run_study
    from .term import Term as Term
    from .workflow import resume as resume
    from .workflow import train as train

_HOMES = {
    "autoencoder": ["Autoencoder"],
    "cloud": ["Cloud"],
    "config": ["Experiment"],
    "errors": ["OtaeError"],
    "evaluation": ["evaluate"],
    "interfaces": ["Cost", "Dataset", "Decoder", "Encoder", "Ground", "Kernel", "Metric", "Prior"],
    "loading": ["load_config"],
    "objective": ["Objective"],
    "term": ["Term"],
    "registry": ["costs", "datasets", "decoders", "encoders", "grounds", "kernels", "metrics", "priors"],
    "run": ["Run", "load"],
    "study": ["compare", "run_study"],
    "workflow": ["resume", "train"],
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Returns a public name, importing its module when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module 'otae' has no attribute {name!r}. It offers: {', '.join(__all__)}.")
    value = globals()[name] = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
