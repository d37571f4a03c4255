"""The Sinkhorn divergence of the codes to the prior that they were matched to."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Generator, Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Missing, Specimen

from .bootstrap import interval
from .linear import vectors
from .order import canonical

_REPLICATES = 10


class PriorSinkhorn(Metric):
    r"""Creates the Sinkhorn divergence of codes and prior, for the cost $\|z - \tilde z\|^2 / 2$.

    $$S_\varepsilon(\alpha, \beta) = \mathrm{OT}_\varepsilon(\alpha, \beta) - \tfrac12 \mathrm{OT}_\varepsilon(\alpha, \alpha)
    - \tfrac12 \mathrm{OT}_\varepsilon(\beta, \beta), \qquad \varepsilon = \mathrm{blur}^2$$

    It is 0 for equal clouds only, and between half of the squared Wasserstein distance (a small blur) and half of the squared
    distance of the means (a large one). The codes are drawn from their laws, where there are such draws, and both clouds are
    divided by the spread of the prior, the root of its mean variance, so that the figure has no units. Finite clouds of one
    law are apart, the more so the fewer they are and the more dimensions they have: `floor` is the divergence of two sets of
    draws of the prior, of as many.

    Figures: `divergence`, with an interval from halves of the clouds, and `floor`; both are left out where all draws of the
    prior coincide.

    Args:
        blur: The root of the temperature, in units of the prior's spread.
        limit: The largest number of codes, and of draws, to look at, drawn by seed; time grows with its square.

    References:
        Interpolating between Optimal Transport and MMD using Sinkhorn Divergences (Feydy et al., 2019)
        https://arxiv.org/abs/1810.08278
    """

    headline = "divergence"
    figures: ClassVar = {
        "divergence": Figure(
            "codes against prior, Sinkhorn", "The transport cost between codes and prior, debiased.", "lower", 0.0
        ),
        "floor": Figure("Sinkhorn, of the prior itself", "The same between two sets of draws of the prior."),
    }
    costly = True

    def __init__(
        self, blur: Annotated[float, Field(gt=0)] = 0.1, limit: Annotated[int, Field(gt=1, le=100_000)] = 1_000
    ) -> None:
        super().__init__()
        self.blur, self.limit = blur, limit

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the divergence of codes and prior, and of the prior and itself.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If there are fewer than two codes or four draws of the prior.
        """
        prior, codes = vectors(specimen.prior), vectors(specimen.codes if specimen.draws is None else specimen.draws)
        count = min(self.limit, len(codes), len(prior) // 2)
        if count < 2:
            raise NotApplicableError(
                f"A Sinkhorn divergence needs two codes and four draws of the prior, and has {len(codes)} and {len(prior)}."
            )
        generator = Generator().manual_seed(specimen.seed)
        spread = float(prior.var(0, correction=0).mean().sqrt())
        if spread == 0:
            return dict.fromkeys(self.figures, Missing("All draws of the prior coincide."))
        z, draws = (_shuffle(each / spread, generator) for each in (codes, prior))
        first, second, z = draws[:count], draws[count : 2 * count], z[:count]
        return {
            "divergence": interval(self._divergence(z, first), self._replicates(z, first, generator)),
            "floor": self._divergence(second, first),
        }

    def _replicates(self, x: Tensor, y: Tensor, generator: Generator) -> list[float]:
        half = (len(x) + 1) // 2
        return [
            self._divergence(_shuffle(x, generator)[:half], _shuffle(y, generator)[:half]) for _ in range(_REPLICATES)
        ]

    def _divergence(self, x: Tensor, y: Tensor) -> float:
        from geomloss import SamplesLoss

        loss = SamplesLoss("sinkhorn", p=2, blur=self.blur, scaling=0.8, backend="tensorized")
        with torch.no_grad():
            return float(loss(x.contiguous(), y.contiguous()))


def _shuffle(points: Tensor, generator: Generator) -> Tensor:
    return points[canonical(points)][torch.randperm(len(points), generator=generator)]
