"""InfoMEC: modularity, explicitness and compactness in terms of information."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Estimate, Figure, FigureValue, Metric, Missing, Specimen

from .bootstrap import bootstrap, draw_halves, interval
from .logistic import logistic
from .mutual_information import entropies
from .nearest_information import nearest_information
from .representation import Codes, Representation, represent, standardise

_PENALTY = 1e-6  # as good as none
_ACTIVE = 1 / 20
_FEWEST = 10
_HALVES = 20


class InfoMEC(Metric):
    r"""Creates the measures InfoM, InfoE and InfoC of codes and factors.

    With the mutual information of factor f and dimension d, by nearest neighbours, as a share of the factor's entropy,
    $N_{fd} = I(f; z_d) / H(f)$, and the dimensions whose range is at least a twentieth of the largest,

    $$\mathrm{InfoM} = \frac{\langle \max_f N_{fd} / \sum_f N_{fd} \rangle_d - 1/F}{1 - 1/F}, \qquad
    \mathrm{InfoC} = \frac{\langle \max_d N_{fd} / \sum_d N_{fd} \rangle_f - 1/D}{1 - 1/D}$$

    InfoM is 1 where each dimension tells of one factor only, InfoC where one dimension alone tells of each factor. InfoE is
    the share of a factor's entropy that a logistic regression without penalty, all classes weighing alike, takes away:
    $1 - \mathrm{loss} / \log(\mathrm{classes})$, meaned over factors: 1 where factors can be read off linearly. It is
    fitted and judged on the same samples, as its authors do, which flatters it where these are few. InfoM and InfoC are of
    shares: of codes that tell next to nothing they are chance, so read them beside InfoE.

    Figures: `infom`, `infoe`, `infoc`, `active` (how many dimensions count), and the table `information`, $N_{fd}$. The
    intervals of InfoM and InfoC come from halves of the samples, since drawing with replacement misleads neighbours; that
    of InfoE is for the regression as fitted. InfoM is left out where one factor varies, InfoC where one dimension is
    active.

    Args:
        codes: Whether to look at the means of the codes' laws, or at one draw from each.
        neighbours: The number of neighbours of the estimate of information.
        factor_bins: The number of classes of a factor that may take any value of an interval.

    References:
        Disentanglement via Latent Quantization (Hsu et al., 2023)
        https://arxiv.org/abs/2305.18378

        Tripod: Three Complementary Inductive Biases for Disentangled Representation Learning (Hsu et al., 2024)
        https://arxiv.org/abs/2404.10282
    """

    headline = "infom"
    figures: ClassVar = {
        "infom": Figure("InfoM", "Modularity: how far each dimension tells of one factor only.", "higher", 1.0),
        "infoe": Figure(
            "InfoE",
            "Explicitness: the share of the factors' entropy that a linear classifier takes away.",
            "higher",
            1.0,
        ),
        "infoc": Figure("InfoC", "Compactness: how far one dimension alone tells of each factor.", "higher", 1.0),
        "active": Figure("active dimensions", "How many dimensions have a range of a twentieth of the largest."),
        "information": Figure("information", "The share of each factor's entropy that each dimension tells."),
    }
    needs_factors = True
    costly = True

    def __init__(
        self,
        codes: Codes = "means",
        neighbours: Annotated[int, Field(gt=0, le=100_000)] = 10,
        factor_bins: Annotated[int, Field(gt=1, le=10_000)] = 10,
    ) -> None:
        super().__init__()
        self.codes, self.neighbours, self.factor_bins = codes, neighbours, factor_bins

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the three measures, the number of active dimensions and the table of information.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If there are fewer than 10 samples, no factor varies, or draws are asked for and there are
                none.
        """
        found, seed = represent(specimen, self.codes, self.factor_bins), specimen.seed
        if len(found) < _FEWEST:
            raise NotApplicableError(
                f"InfoMEC needs {_FEWEST} samples, and there are {len(found)}. Judge more of them."
            )
        ranges = found.codes.amax(0) - found.codes.amin(0)
        active = (ranges > _ACTIVE * ranges.max()).nonzero().flatten()
        points = standardise(found.codes)
        shares = self._shares(points, found.classes, seed)
        parts = [
            self._shares(points[rows], found.classes[rows], seed) for rows in draw_halves(len(found), _HALVES, seed)
        ]

        def share(dimension: int) -> FigureValue:
            value, *replicates = (_excess(each.index_select(1, active), dimension) for each in (shares, *parts))
            return interval(value, replicates)

        few, silent = "Only one factor varies.", f"{len(active)} dimensions are active."
        return {
            "infom": share(0) if len(found.kinds) > 1 and len(active) else Missing(few if len(active) else silent),
            "infoe": _explicitness(found, points, seed),
            "infoc": share(1) if len(active) > 1 else Missing(silent),
            "active": float(len(active)),
            "information": found.table(shares, "information on each factor, of its entropy"),
        }

    def _shares(self, points: Tensor, classes: Tensor, seed: int) -> Tensor:
        found = [nearest_information(points, labels, self.neighbours, seed) for labels in classes.T]
        return torch.stack(found) / entropies(classes).clamp_min(1e-12)[:, None]  # (F, D)


def _excess(shares: Tensor, dimension: int) -> float:
    """Returns how far the largest share of the sum over a dimension exceeds that of equal shares, meaned over the other."""
    count, total = shares.shape[dimension], shares.sum(dimension)
    largest = torch.where(total > 0, shares.amax(dimension) / total.clamp_min(1e-300), 1 / count)
    return float((largest.mean() - 1 / count) / (1 - 1 / count))


def _explicitness(found: Representation, points: Tensor, seed: int) -> Estimate:
    gains = [1 - _losses(points, labels) / math.log(len(torch.unique(labels))) for labels in found.classes.T]
    return bootstrap(lambda gains: float(gains.mean()), torch.stack(gains, dim=1), seed=seed)


def _losses(points: Tensor, labels: Tensor) -> Tensor:
    """Returns the negative log-likelihood of each sample, with shape (N,)."""
    model = logistic(points, labels, penalty=_PENALTY, balanced=True)
    columns = torch.from_numpy(model.classes_.searchsorted(labels.numpy()))
    chances = torch.from_numpy(model.predict_proba(points.numpy()))
    return -chances.gather(1, columns[:, None]).flatten().clamp_min(1e-15).log()
