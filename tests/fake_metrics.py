"""Small metrics that keep the core's promises, and some that break them."""

from __future__ import annotations

import numpy as np
import torch

from otae import Metric
from otae.errors import NotApplicableError
from otae.interfaces import Estimate, Figure, FigureValue, Missing, Specimen, Table


def figure(name: str) -> dict[str, Figure]:
    """Returns the description of a metric with one figure."""
    return {name: Figure(f"the {name}", f"What the {name} is.", "higher", 1.0)}


class Sizes(Metric):
    """Creates the sizes of what it is given."""

    headline, figures = "data", figure("data")

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"data": float(len(specimen.data)), "generations": float(len(specimen.generations))}


class Classes(Metric):
    """Creates the number of classes."""

    headline, figures, needs_labels = "classes", figure("classes"), True

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        assert specimen.labels is not None
        return {"classes": float(len(specimen.labels.unique()))}


class Careless(Metric):
    """Creates a draw from the global random states."""

    headline, figures = "torch", figure("torch")

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"torch": float(torch.rand(())), "numpy": float(np.random.rand())}


class Undefined(Metric):
    """Creates nothing sensible."""

    headline, figures = "fine", figure("fine")

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"fine": 1.0, "nonsense": float("nan")}


class Choosy(Metric):
    """Creates a metric that cannot be built without its option."""

    headline, figures, costly = "choice", figure("choice"), True

    def __init__(self, choice: int) -> None:
        super().__init__()
        self.choice = choice

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"choice": float(self.choice)}


class Rich(Metric):
    """Creates every kind of value."""

    headline, figures = "value", figure("value")

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        table = Table(torch.tensor([[0.25, 1.0]]), ("factor",), ("first", "second"), "A table")
        return {"value": Estimate(0.5, 0.4, 0.75), "ratio": Missing("The baseline is perfect."), "importance": table}


class Unfit(Metric):
    """Creates a metric that can judge nothing."""

    headline, figures = "nothing", figure("nothing")

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        raise NotApplicableError("The prior has no components.")


OFFERED: dict[str, type[Metric]] = {
    "sizes": Sizes, "classes": Classes, "careless": Careless, "choosy": Choosy, "rich": Rich, "unfit": Unfit,
}  # fmt: skip
