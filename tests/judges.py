"""Small metrics that keep the promises of the interface, for tests of evaluations and studies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from otae.interfaces import Figure, Metric, Specimen


class Miss(Metric):
    """Creates the mean squared error of the reconstructions, and their number."""

    headline = "error"
    figures: ClassVar[Mapping[str, Figure]] = {
        "error": Figure("error of copies", "the mean squared error", "lower", 0.0),
        "count": Figure("number of copies", "how many there are"),
    }

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        gaps = (specimen.data - specimen.reconstructions).flatten(1).square().mean(1)
        return {"error": float(gaps.mean()), "count": float(len(gaps))}


class Reach(Metric):
    """Creates the spread of the codes."""

    headline = "spread"
    figures: ClassVar[Mapping[str, Figure]] = {
        "spread": Figure("spread of codes", "their standard deviation", "higher")
    }

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"spread": float(specimen.codes.std())}


class Killer(Metric):
    """Creates a metric that ends its process, as running out of memory does."""

    headline = "nothing"
    figures: ClassVar[Mapping[str, Figure]] = {}

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)
        return {}
