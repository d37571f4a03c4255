"""Latent distances against data distances: what a Gromov-Wasserstein term looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from ..canvas import halo, keyed, named, panel
from ..theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 1_000  # points, and their half a million pairs
_SHOWN = 0.998  # the share of pairs in view; the line and the correlation regard all


def distances(codes: Tensor, data: Tensor, seed: int, theme: Theme, x: str, y: str) -> Figure:
    """Returns the density of all pairs over latent and data distance, the line of the best scale, and the correlation.

    Args:
        codes: The codes, with shape (N, latent_dim).
        data: The data they belong to, with shape (N, …).
        seed: The seed of the choice among more than 1,000 samples.
        theme: The colours.
        x: The name of the codes.
        y: The name of the data.
    """
    from matplotlib.colors import LinearSegmentedColormap

    latent, observed = _pairwise(codes, data, seed)
    figure, axes = panel(theme, 4.2, 3.4)
    ramp = LinearSegmentedColormap.from_list("ramp", list(theme.ramp))
    ends = [float(torch.quantile(side, _SHOWN)) * 1.08 + 1e-9 for side in (latent[::5], observed[::5])]
    near = (latent <= ends[0]) & (observed <= ends[1])
    axes.hexbin(
        latent[near].numpy(), observed[near].numpy(), gridsize=50, mincnt=1, bins="log", cmap=ramp, linewidths=0.2,
        rasterized=True,
    )  # fmt: skip
    scale = _best_scale(latent, observed)
    end = min(ends[0], ends[1] / scale if scale else ends[0])
    axes.plot(
        [0, end], [0, scale * end], color=theme.contrast, linewidth=1.8, path_effects=halo(theme, 3),
        label=f"best scale, {scale:.3g}",
    )  # fmt: skip
    axes.set_xlim(0, ends[0])
    axes.set_ylim(0, ends[1])
    keyed(axes, theme, place="lower right")
    title = f"correlation {_correlation(latent, observed):.3f}"
    axes.set_title(title, loc="left", color=theme.ink, fontsize=10, fontweight="bold")
    named(axes, theme, f"distance between {x}", f"distance between {y}")
    return figure


def _pairwise(codes: Tensor, data: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    chosen = torch.arange(len(codes))
    if len(codes) > _MOST:
        chosen = torch.randperm(len(codes), generator=Generator().manual_seed(seed))[:_MOST]
    latent, observed = (torch.pdist(cloud[chosen].flatten(1).double()) for cloud in (codes, data))
    return latent, observed


def _best_scale(latent: Tensor, observed: Tensor) -> float:
    positive = latent > 0
    if not positive.any():
        return 0.0
    ratios, order = (observed[positive] / latent[positive]).sort()
    masses = latent[positive][order].cumsum(0)
    return float(ratios[torch.searchsorted(masses, masses[-1] / 2)])


def _correlation(latent: Tensor, observed: Tensor) -> float:
    x, y = latent - latent.mean(), observed - observed.mean()
    size = float(x.norm() * y.norm())
    return float(x @ y) / size if size > 1e-12 * float(latent.norm() * observed.norm()) else 0.0
