"""How far codes are from the best isometric image of the data: the Gromov-Wasserstein distance, and the gap to it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Figure, FigureValue, Metric, Missing, Specimen

from .bootstrap import interval
from .pairs import matched

_REPLICATES = 10
_SEARCH = 4  # starts besides those that are given


class Gromov(Metric):
    r"""Creates the Gromov-Wasserstein distance of data and codes, and the Gromov-Monge gap of the coupling between them.

    $$\mathrm{GW} = \min_\pi \sum_{ijkl} \big( d_x(i, k) - d_z(j, l) \big)^2 \pi_{ij} \pi_{kl}, \qquad
    \mathrm{coupled} = \frac{1}{N^2} \sum_{ik} \big( d_x(i, k) - d_z(i, k) \big)^2$$

    Distances on either side are Euclidean, over the root of their mean square, so that the figures have no units and lie
    between 0 and 2. `solved` is low where some way to pair codes with samples would be an isometry; `coupled` where the
    encoder's own is; the Gromov-Monge gap, `coupled` less `solved`, is 0 where no other pairing of the same codes and
    samples keeps distances better. With it stand the same of draws from the prior and what they are decoded to, as
    `generation_…`. The scale is what the distances of codes have to be multiplied with to equal those of data on average of
    squares: about that which a coupled Gromov-Wasserstein term learns for draws and generations.

    The problem is solved by conditional gradient with exact line search, from the coupling that is given, from the
    independent one and from a few at random: a local minimum, so that `solved` is an upper bound. The intervals come from
    ten halves of the samples, from the given coupling alone.

    Figures: `solved`, `coupled`, `gap`, `scale`, and the same with `generation_`; all are left out where all samples of one
    side coincide.

    Args:
        limit: The largest number of samples to look at, drawn by seed; time grows with its cube.

    References:
        Gromov-Wasserstein Distances and the Metric Approach to Object Matching (Mémoli, 2011)
        https://doi.org/10.1007/s10208-011-9093-5

        Disentangled Representation Learning with the Gromov-Monge Gap (Uscidda et al., 2024)
        https://arxiv.org/abs/2407.07829
    """

    headline = "gap"
    figures: ClassVar = {
        "solved": Figure(
            "Gromov-Wasserstein", "How far the best pairing of codes and data is from an isometry.", "lower", 0.0
        ),
        "coupled": Figure("coupled distortion", "How far the encoder is from an isometry up to scale.", "lower", 0.0),
        "gap": Figure("Gromov-Monge gap", "What the encoder's pairing distorts beyond the best one.", "lower", 0.0),
        "scale": Figure("scale", "What distances of codes are multiplied with to equal those of data."),
        "generation_solved": Figure(
            "Gromov-Wasserstein, generations", "How far the best pairing of draws and generations is from an isometry.",
            "lower", 0.0,
        ),
        "generation_coupled": Figure(
            "coupled distortion, generations", "How far the decoder is from an isometry up to scale.", "lower", 0.0
        ),
        "generation_gap": Figure(
            "Gromov-Monge gap, generations", "What the decoder's pairing distorts beyond the best one.", "lower", 0.0
        ),
        "generation_scale": Figure(
            "scale, generations", "What distances of prior draws are multiplied with to equal those of generations."
        ),
    }  # fmt: skip
    costly = True

    def __init__(self, limit: Annotated[int, Field(gt=2, le=100_000)] = 300) -> None:
        super().__init__()
        self.limit = limit

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the distances, the gaps and the scales.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If there are fewer than three samples.
        """
        if min(len(specimen.data), len(specimen.prior)) < 3:
            raise NotApplicableError("Gromov-Wasserstein distances need three samples. Judge more of them.")
        encoder = self._figures(specimen.codes, specimen.data, specimen.seed)
        decoder = self._figures(specimen.prior, specimen.generations, specimen.seed)
        return encoder | {f"generation_{name}": value for name, value in decoder.items()}

    def _figures(self, codes: Tensor, data: Tensor, seed: int) -> dict[str, FigureValue]:
        latent, observed = (torch.cdist(cloud, cloud) for cloud in matched(codes, data, self.limit, seed))
        names = ("solved", "coupled", "gap", "scale")
        if not (latent.any() and observed.any()):
            return dict.fromkeys(names, Missing("All samples of one side coincide: there are no distances to compare."))
        generator = torch.Generator().manual_seed(seed)
        found, size = compare(observed, latent, _SEARCH, seed), len(latent)
        halves = [torch.randperm(size, generator=generator)[: (size + 1) // 2] for _ in range(_REPLICATES)]
        replicates = [compare(observed[rows][:, rows], latent[rows][:, rows], 0, seed) for rows in halves]
        return {name: interval(getattr(found, name), [getattr(each, name) for each in replicates]) for name in names}


@dataclass(frozen=True)
class Comparison:
    """Holds the distortion of the best coupling found, of the given one, and the scale of the codes' distances.

    Args:
        solved: The distortion of the best coupling.
        coupled: The distortion of the given one.
        scale: The factor from distances of codes to those of data.
    """

    solved: float
    coupled: float
    scale: float

    @property
    def gap(self) -> float:
        """Returns what the given coupling distorts beyond the best."""
        return self.coupled - self.solved


def compare(observed: Tensor, latent: Tensor, starts: int, seed: int) -> Comparison:
    """Returns how distances among data and among codes compare; NaN where one side has none.

    Args:
        observed: The distances of data, with shape (N, N).
        latent: The distances of their codes, with shape (N, N).
        starts: The number of random couplings to start from.
        seed: Their seed.
    """
    roots = [float(distances.square().mean().sqrt()) for distances in (observed, latent)]
    if not all(roots):
        return Comparison(float("nan"), float("nan"), float("nan"))
    x, z = (distances / root for distances, root in zip((observed, latent), roots, strict=True))
    coupled = float((x - z).square().mean())
    solved = min(coupled, *(_solve(x.numpy(), z.numpy(), start) for start in _starts(len(x), starts, seed)))
    return Comparison(max(solved, 0.0), coupled, roots[0] / roots[1])


def _starts(size: int, count: int, seed: int) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    given, free = np.eye(size) / size, np.full((size, size), 1 / size**2)
    return [given, free, *(given[generator.permutation(size)] for _ in range(count))]


def _solve(x: np.ndarray, z: np.ndarray, start: np.ndarray) -> float:
    import ot

    weights = np.full(len(x), 1 / len(x))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a start that is not improved is a solution, too
        _, log = ot.gromov_wasserstein(x, z, weights, weights, "square_loss", G0=start, log=True, max_iter=200)
    return float(log["gw_dist"])
