"""What a process does that another one has started: the same training, of its own share of each batch."""

from __future__ import annotations

import sys

import cloudpickle

from ..errors import OtaeError
from ..faults import blaming
from ..registry import registries
from ..run import Run
from .fit import fit
from .launch import Order
from .processes import Processes


def work() -> None:
    """Trains as the order says that stands on the standard input; what fails is told to the first process."""
    order: Order = cloudpickle.load(sys.stdin.buffer)
    for kind, plugins in order.plugins.items():
        for name, plugin in plugins.items():
            registries()[kind].register(name, plugin)
    run = Run(order.path)
    run.memory = order.memory
    try:
        with blaming():
            fit(run, processes=Processes(order.placement))
    except OtaeError as error:
        sys.exit(f"{type(error).__name__}: {error}")
